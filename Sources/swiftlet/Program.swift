// From the command line to a subcommand: our own, or `swiftlet-NAME` found beside this program and then on PATH, as git
// does.
//
// Read next: RunOptions.swift.

import Host
import Rig
import Snapshot
import VMM

/// Never returns: ends the process with the subcommand's status.
func runProgram(start: UInt64, _ arguments: Arguments) -> Never {
    reserveStandardDescriptors()
    if let index = arguments.firstInvalid { fail("argument \(index) is not UTF-8, and would not arrive unchanged") }
    let rest = arguments.dropFirst(2)
    if HvtCommand.isMeant(by: arguments[0]) { HvtCommand.main(arguments.dropFirst(), start: start) }
    switch arguments.dropFirst().first {
    case "run": exitProcess(RunCommand.main(rest, start: start))
    case "restore": exitProcess(RestoreCommand.main(rest, start: start, emptyRun: { emptyRun() }))
    case HvtCommand.name?: HvtCommand.main(rest, start: start)
    case nil:
        writeText(usage)
        exitProcess(Stop.errorStatus)
    case "--help", "-h", "help": finish(usage)
    case "--version": finish("swiftlet \(swiftletVersion)\n")
    case "--generate-completion-script":
        let script = Completions.script(shell: rest.first ?? "")
        if script.isEmpty { fail("--generate-completion-script needs a shell: bash, zsh or fish") }
        finish(script)
    case let name? where name.hasPrefix("-"): fail("unknown option '\(name)': try 'swiftlet --help'")
    case let name?:
        let error = execute("swiftlet-\(name)", Array(rest))
        fail(
            "'\(name)' is no subcommand: no program swiftlet-\(name) here or on PATH (\(error)); try 'swiftlet --help'")
    }
}

func finish(_ text: String) -> Never {
    let isWritten = writeText(text, to: 1)
    exitProcess(isWritten ? 0 : Stop.errorStatus)
}

/// Swiftlet's own error: one line, status 125.
func fail(_ message: String) -> Never {
    writeText("swiftlet: \(printable(message))\n")
    exitProcess(Stop.errorStatus)
}

private let usage = """
    swiftlet \(swiftletVersion): a minimal paravirtual hypervisor on Linux /dev/kvm

    Usage: swiftlet SUBCOMMAND [OPTIONS]

      run IMAGE [ARGS...]   run a guest kernel, console on this terminal
      restore SNAPSHOT      go on with a guest that was saved
      snapshot PID          save the guest of a running swiftlet
      clone -n N SNAPSHOT   many guests from one snapshot
      serve SNAPSHOT        a socket whose requests are answered by guests
      call SOCKET [TEXT]    a request to such a socket
      host --catalogue DIR  the machines of a server, chosen at its terminals
      solo5-hvt KERNEL      run a unikernel with the command line of Solo5's tender
      inspect IMAGE         what an image is, and where it will lie in guest memory
      walk FILE [ADDRESS]   how an address in a snapshot or a core is translated, and why it faults
      doctor                what this host's KVM can do, measured
      bench                 what exits, memory and a start cost on this host
      check [GUEST...]      runs the cases that guests/NAME/expect describes

    'swiftlet SUBCOMMAND --help' tells more. Other subcommands are programs named swiftlet-NAME.

      --help                this text
      --version             the version
      --generate-completion-script SHELL   for bash, zsh or fish

    """
