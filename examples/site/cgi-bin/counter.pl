#!/usr/bin/env perl
# Counts visits. The number is kept by the browser, in a cookie: this program remembers nothing.
use strict;
use warnings;

sub cookie {
    my ($name) = @_;
    return ($ENV{HTTP_COOKIE} // '') =~ /(?:^|;\s*)\Q$name\E=([0-9]{1,10})(?:;|$)/ ? $1 : undef;
}

my $attributes = 'Path=/cgi-bin; Max-Age=2592000; HttpOnly; SameSite=Lax';

if ($ENV{REQUEST_METHOD} eq 'POST') {    # Start again, then show the page with GET.
    print "Status: 303 See Other\nLocation: $ENV{SCRIPT_NAME}\n";
    print "Set-Cookie: $_=; Path=/cgi-bin; Max-Age=0\n" for qw(visits last);
    print "\n";
    exit;
}

my $visits = (cookie('visits') // 0) + 1;
my $last   = cookie('last');
my $now    = time;
my $ago    = defined $last ? 'The last one was ' . ago($now - $last) . '.' : 'Welcome.';
my $times  = $visits == 1 ? 'time' : 'times';

sub ago {
    my ($seconds) = @_;
    return 'just now' if $seconds < 2;
    return "$seconds seconds ago" if $seconds < 120;
    return int($seconds / 60) . ' minutes ago' if $seconds < 7200;
    return int($seconds / 3600) . ' hours ago';
}

open my $self, '<', $0 or die "cannot read $0: $!";
my @source = <$self>;
my $lines  = @source;
my $heart  = join '', grep { /^my \$visits|^Set-Cookie/ } @source;

print <<"PAGE";
Content-Type: text/html; charset=utf-8
Cache-Control: no-store
Set-Cookie: visits=$visits; $attributes
Set-Cookie: last=$now; $attributes

<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Visit $visits</title>
<link rel="icon" href="/favicon.svg">
<link rel="stylesheet" href="/style.css">
<header class="masthead"><a href="/">htbin example site</a></header>
<main class="sheet">
<h1>You were here</h1>
<output class="clock">$visits</output>
<p class="lead">You have been here $visits $times. $ago</p>
<p>The count is in a cookie that your browser sends along; a second cookie holds the time. The script only adds one and
prints two <code>Set-Cookie</code> lines.</p>
<form method="post">
<div class="actions"><button>Start again</button></div>
</form>
<p><a href="/cgi-bin/counter.pl">Visit once more</a></p>
<pre class="source" tabindex="0">
$heart</pre>
</main>
<footer class="foot">Printed by <code>counter.pl</code>: $lines lines of Perl.</footer>
</html>
PAGE
