echo one; echo two
