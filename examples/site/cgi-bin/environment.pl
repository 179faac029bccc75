#!/usr/bin/env perl
# Shows the environment: all that the server told this program about the request.
use strict;
use warnings;

my %escape = ('&' => '&amp;', '<' => '&lt;', '>' => '&gt;', '"' => '&quot;');
sub escaped { my ($text) = @_; $text =~ s/([&<>"])/$escape{$1}/g; $text }

my @groups = (
    ['The request',            qr/^(REQUEST_|QUERY_|CONTENT_|SERVER_PROTOCOL|HTTPS$)/],
    ['Where it led',           qr/^(SCRIPT_|PATH_|DOCUMENT_|CONTEXT_)/],
    ['The two ends',           qr/^(REMOTE_|SERVER_|GATEWAY_|AUTH_|X_REQUEST_ID)/],
    ['What the browser added', qr/^HTTP_/],
    ['Everything else',        qr/./],
);

print "Content-Type: text/html; charset=utf-8\n\n";
print <<'HTML';
<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>The environment</title>
<link rel="icon" href="/favicon.svg">
<link rel="stylesheet" href="/style.css">
<header class="masthead"><a href="/">htbin example site</a></header>
<main class="sheet">
<h1>The environment</h1>
<p class="lead">A CGI script is told about the request in environment variables. These are all that this one was given:
nothing of the server’s own environment is among them but a few names, such as <code>PATH</code>.</p>
HTML

my %left = %ENV;
for my $group (@groups) {
    my ($title, $names) = @$group;
    my @mine = sort grep { $_ =~ $names } keys %left or next;
    print "<h2>$title</h2>\n<table>\n<tbody>\n";
    for my $name (@mine) {
        my $value = escaped(delete $left{$name});
        $value = '<span class="faded">(empty)</span>' if $value eq '';
        print '<tr><th scope="row">', escaped($name), "</th><td>$value</td></tr>\n";
    }
    print "</tbody>\n</table>\n";
}

open my $self, '<', $0 or die "cannot read $0: $!";
my @source = <$self>;
my $lines  = @source;
my $heart  = escaped(join '', grep { /^    for my/ .. /^    }/ } @source);
print <<"HTML";
<p>Try it with <a href="/cgi-bin/environment.pl/some/extra/path?color=green&amp;size=2">more path and a query</a>,
or with markup: <a href="/cgi-bin/environment.pl?%3Cb%3E=<b>&amp;&quot;">a query that is not to be trusted</a>.</p>
<h2>The heart of the script</h2>
<pre class="source" tabindex="0">
$heart</pre>
</main>
<footer class="foot">Printed by <code>environment.pl</code>: $lines lines of Perl.</footer>
</html>
HTML
