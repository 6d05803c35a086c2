"""Gives a program an input that says at once when it has nothing yet (O_NONBLOCK), and then two lines.

    impatient_input.py PROGRAM ARGUMENTS...
"""

import os
import subprocess
import sys
import time

out, into = os.pipe()
os.set_blocking(out, False)
program = subprocess.Popen(sys.argv[1:], stdin=out)
for line in (b"satu\n", b"dua\n"):
    time.sleep(1)
    os.write(into, line)
os.close(into)
print("ended", program.wait(), flush=True)
