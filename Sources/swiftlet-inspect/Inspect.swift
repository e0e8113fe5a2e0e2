// `swiftlet inspect`: what an image is, where it will lie in guest memory, and what is wrong with it.
//
// The loader itself says whether the image can run: inspect does with the file what `swiftlet run` does, up to the
// virtual machine. Read next: Inspection.swift.

import ArgumentParser
import Host
import Subcommand
import VMM

@main
struct Inspect: Subcommand {
    static let configuration = CommandConfiguration.subcommand(
        "inspect",
        abstract: "Show what an image is, where it will lie in guest memory, and what is wrong with it.",
        usage: "[--mem SIZE] [--module FILE] [--json] IMAGE",
        discussion: """
            Any file can be inspected: Swiftlet guests, kernels for other machines, archives, scripts. Needs no /dev/kvm.

            Exit status: 0 'swiftlet run' takes the image; 1 it does not, and the last line says why; 125 an error: the \
            file cannot be read, or a wrong option.

            docs/inspect.md describes the fields of --json.
            """)

    @Option(
        help: ArgumentHelp("Guest memory to plan for: 64M, 2G; a bare number is MiB (default 64M).", valueName: "size"))
    var mem: String?

    @Option(
        help: ArgumentHelp("A data file that the guest gets too, as with 'swiftlet run'.", valueName: "file"),
        completion: .file())
    var module: String?

    @Flag(help: "One JSON object on standard output, for scripts.")
    var json = false

    @Argument(help: ArgumentHelp("The file to inspect.", valueName: "image"), completion: .file())
    var image: String

    static func main() { start() }

    func perform() throws(SubcommandError) -> Int32 {
        let file = try InspectedFile(image)
        let inspection = try Inspection(file, memorySize: try memorySize(), moduleSize: try moduleSize())
        try printResult(json ? try JSON.text(inspection) : inspection.text)
        return inspection.runnable ? 0 : 1
    }

    private func memorySize() throws(SubcommandError) -> UInt64 {
        guard let mem else { return Configuration(image: image).memorySize }
        do throws(MemorySizeError) { return try MemorySize.parse(mem) } catch {
            throw SubcommandError("inspect: --mem \(printable(error.message)): try 'swiftlet inspect --help'")
        }
    }

    private func moduleSize() throws(SubcommandError) -> UInt64 {
        guard let module else { return 0 }
        return try InspectedFile(module).size
    }
}
