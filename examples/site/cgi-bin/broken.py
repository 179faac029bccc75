#!/usr/bin/env python3
# Fails before it has printed anything. The server answers 502; the reason is in the server's log.
raise RuntimeError("this script always fails: it is here to show what happens then")
