#!/bin/sh
echo "Content-Type: text/plain"
echo
echo "Hello. It is $(date +%T) and I am $$."
