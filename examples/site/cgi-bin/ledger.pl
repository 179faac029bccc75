#!/usr/bin/env perl
# A download that no file holds: ten thousand lines of CSV, written while they are sent.
use strict;
use warnings;

print "Content-Type: text/csv; charset=utf-8\n";
print "Content-Disposition: attachment; filename=\"ledger.csv\"\n\n";

my $balance = 0;
print "entry,amount,balance\r\n";
for my $entry (1 .. 10_000) {
    my $amount = ($entry * 7919) % 1999 - 999;
    $balance += $amount;
    print "$entry,$amount,$balance\r\n";
}
