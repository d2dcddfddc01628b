# With --json a failure is an object on standard output, and still three lines for people.
"$LQ_TOOL" --json --nonsense
