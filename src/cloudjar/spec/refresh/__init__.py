"""Makes the files of spec/data out of public packages; never imported by the running product."""
