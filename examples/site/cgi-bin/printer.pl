#!/usr/bin/env perl
# A line printer's test page, a line at a time: the browser shows each line as it is printed.
use strict;
use warnings;

$| = 1;    # Perl collects output by default. A page that grows must not wait.

my @drum  = map { chr } 33 .. 126;
my $width = 56;
my %escape = ('&' => '&amp;', '<' => '&lt;', '>' => '&gt;');

open my $self, '<', $0 or die "cannot read $0: $!";
my @source = <$self>;
my $lines  = @source;
my $heart  = join '', grep { /^for my/ .. /^}/ } @source;
$heart =~ s/([&<>])/$escape{$1}/g;

print "Content-Type: text/html; charset=utf-8\nCache-Control: no-store\n\n";
print <<'HTML';
<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Line printer</title>
<link rel="icon" href="/favicon.svg">
<link rel="stylesheet" href="/style.css">
<header class="masthead"><a href="/">htbin example site</a></header>
<main class="sheet">
<h1>Line printer</h1>
<p class="lead">Operators had their printers print this pattern and looked for crooked columns. Here it shows that a page
arrives line by line, while the script still runs.</p>
<pre class="printout" tabindex="0">
HTML
for my $line (1 .. 24) {
    my $text = join '', @drum[map { ($line + $_) % @drum } 1 .. $width];
    $text =~ s/([&<>])/$escape{$1}/g;
    printf "%02d  %s\n", $line, $text;
    select undef, undef, undef, 0.1;
}
print <<"HTML";
</pre>
<p><a href="/cgi-bin/printer.pl">Print it again</a></p>
<h2>The heart of the script</h2>
<pre class="source" tabindex="0">
$heart</pre>
</main>
<footer class="foot">Printed by <code>printer.pl</code>: $lines lines of Perl.</footer>
</html>
HTML
