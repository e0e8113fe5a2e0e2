// What the subcommands that are programs of their own (`swiftlet-NAME`) share: from a command line to an exit status.
//
// Options are swift-argument-parser's; what a wrong one looks like is Swiftlet's: one line, status 125. The program
// `swiftlet` itself uses none of this: it starts in a millisecond. Read next: Table.swift, swiftlet-inspect/Inspect.swift.

public import ArgumentParser
import Host
import VMM

/// A subcommand. Its program is `SOME_TYPE.start()`.
public protocol Subcommand: ParsableCommand {
    /// Does the work; returns the exit status.
    func perform() throws(SubcommandError) -> Int32
}

/// An error of Swiftlet's side or of the user's: one line, exit status 125.
public struct SubcommandError: Error, Sendable {
    public let message: String
    public init(_ message: String) { self.message = message }
}

extension Subcommand {
    /// What `swiftlet` calls it: the program's name without `swiftlet-`.
    private static var subcommand: String { String((configuration.commandName ?? "").dropFirst("swiftlet-".count)) }

    /// The whole program.
    public static func start() -> Never {
        ignoreFileSizeSignal()
        var parsed: any ParsableCommand
        do { parsed = try parseAsRoot() } catch { finish(error) }
        // Help of a program that has subcommands is a command of the parser's own, which throws what to print.
        guard let command = parsed as? any Subcommand else {
            do { try parsed.run() } catch { finish(error) }
            exitProcess(0)
        }
        do throws(SubcommandError) { exitProcess(try command.perform()) } catch { fail(error.message) }
    }

    /// A wish for help, the version or a completion script; or a wrong command line.
    private static func finish(_ error: any Error) -> Never {
        if exitCode(for: error) != .success {
            fail("\(subcommand): \(withAdvice(oneLine(message(for: error)))): try 'swiftlet \(subcommand) --help'")
        }
        writeText(inHouseStyle(fullMessage(for: error)) + "\n", to: 1)
        exitProcess(0)
    }

    private static func fail(_ message: String) -> Never {
        writeText("swiftlet: \(printable(message))\n")
        exitProcess(Stop.errorStatus)
    }
}

extension CommandConfiguration {
    /// `swiftlet-NAME`, with usage and version as `swiftlet NAME` shows them.
    public static func subcommand(
        _ name: String, abstract: String, usage: String, discussion: String
    ) -> CommandConfiguration {
        CommandConfiguration(
            commandName: "swiftlet-\(name)", abstract: abstract, usage: "swiftlet \(name) \(usage)",
            discussion: discussion, version: "swiftlet \(swiftletVersion)")
    }
}

/// Writes a subcommand's result to standard output.
///
/// - Throws: when it does not take all of it (a full disk, a reader that is gone): a script must not mistake half for all.
public func printResult(_ text: String) throws(SubcommandError) {
    if !writeText(text, to: 1) { throw SubcommandError("standard output does not take the result") }
}

/// Help as `swiftlet run --help` looks, which help2man makes a man page of. Other texts (completions) stay as they are.
func inHouseStyle(_ text: String) -> String {
    guard text.hasPrefix("OVERVIEW: ") else { return text }
    let headings = [
        "USAGE: ": "Usage: ", "ARGUMENTS:": "Arguments:", "OPTIONS:": "Options:", "SUBCOMMANDS:": "Subcommands:",
        "  See 'swiftlet-": "  See 'swiftlet ",
    ]
    let lines = text.dropFirst("OVERVIEW: ".count).split(separator: "\n", omittingEmptySubsequences: false)
    return lines.map { line in
        for (old, new) in headings where line.hasPrefix(old) { return new + line.dropFirst(old.count) }
        return String(line)
    }.joined(separator: "\n")
}

/// What a value with a unit looks like, behind the parser's words, which say only that one is wrong.
func withAdvice(_ message: String) -> String {
    let advice = [
        "<seconds>'": ": seconds above 0, such as 10 or 0.5", "<size>'": ": bytes, or a size such as 64K or 1M",
    ]
    guard message.hasPrefix("The value '") else { return message }
    return message + (advice.first { message.hasSuffix($0.key) }?.value ?? "")
}

private func oneLine(_ text: String) -> String {
    let line = text.split(separator: "\n").joined(separator: " ")
    return line.hasSuffix(".") ? String(line.dropLast()) : line
}

/// What goes wrong with the file at `path`, in the words of `run`.
public func fromHost<T: ~Copyable>(
    _ path: String, _ body: @autoclosure () throws(HostError) -> T
) throws(SubcommandError) -> T {
    do throws(HostError) { return try body() } catch {
        let named = HostError(error.call, path, errno: error.errno)
        throw SubcommandError(printable(MachineError.host(named).message))
    }
}
