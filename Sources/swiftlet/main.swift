// The command: `swiftlet run` lives in this program, every other subcommand is a program of its own beside it.
//
// No Foundation and no argument parser here: they would cost more than starting a virtual machine does.
// Read next: RunCommand.swift.

import Host

runProgram(start: Clock.monotonic(), Arguments())
