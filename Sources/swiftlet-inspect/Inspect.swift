// `swiftlet inspect`: what an image is, where it will lie in guest memory, and what is wrong with it.
//
// The loader itself says whether the image can run: inspect does with the file what `swiftlet run` does, up to the
// virtual machine. Read next: Inspection.swift.

import ArgumentParser
import Backing
import Boot
import Host
import Subcommand
import VMM

@main
struct Inspect: Subcommand {
    static let configuration = CommandConfiguration.subcommand(
        "inspect",
        abstract: "Show what an image or a snapshot is, where it will lie in guest memory, and what is wrong with it.",
        usage: "[--mem SIZE] [--mem-max SIZE] [--backing KIND] [--module FILE] [--boot NAME] [--json] IMAGE",
        discussion: """
            Any file can be inspected: Swiftlet guests, snapshots with what they were written on top of, kernels for other \
            machines, archives, scripts. Needs no /dev/kvm.

            Exit status: 0 'swiftlet run' takes the image, or 'swiftlet restore' the snapshot; 1 it does not, and the last line says why; 125 an error: the \
            file cannot be read, or a wrong option.

            docs/inspect.md describes the fields of --json.
            """)

    @Option(
        help: ArgumentHelp("Guest memory to plan for: 64M, 2G; a bare number is MiB (default 64M).", valueName: "size"))
    var mem: String?

    @Option(
        help: ArgumentHelp("What the guest may ask for in all, as with 'swiftlet run'.", valueName: "size"))
    var memMax: String?

    @Option(
        help: ArgumentHelp("What memory is made of, as with 'swiftlet run' (default anon).", valueName: "kind"))
    var backing: String?

    @Option(
        help: ArgumentHelp("A data file that the guest gets too, as with 'swiftlet run'.", valueName: "file"),
        completion: .file())
    var module: String?

    @Option(
        help: ArgumentHelp("How a kernel starts, as with 'swiftlet run' (default: its file tells).", valueName: "name"))
    var boot: String?

    @Flag(help: "One JSON object on standard output, for scripts.")
    var json = false

    @Argument(help: ArgumentHelp("The file to inspect.", valueName: "image"), completion: .file())
    var image: String

    static func main() { start() }

    func perform() throws(SubcommandError) -> Int32 {
        let file = try InspectedFile(image)
        let inspection = try Inspection(file, try wishes(), moduleSize: try moduleSize(), boot: try method())
        if inspection.kind == "snapshot" { try refuseOptionsOfImages() }
        try printResult(json ? try JSON.text(inspection) : inspection.text)
        return inspection.runnable ? 0 : 1
    }

    /// A snapshot has its memory already.
    private func refuseOptionsOfImages() throws(SubcommandError) {
        let options = [
            ("--mem", mem), ("--mem-max", memMax), ("--backing", backing), ("--module", module), ("--boot", boot),
        ]
        guard let option = options.first(where: { $0.1 != nil }) else { return }
        throw SubcommandError("inspect: \(option.0) is for images, and \(printable(image)) is a snapshot: leave it out")
    }

    private func wishes() throws(SubcommandError) -> MemoryWishes {
        var wishes = MemoryWishes(size: try size("--mem", mem) ?? Configuration(image: image).memorySize)
        wishes.maximum = try size("--mem-max", memMax)
        if let backing {
            guard let kind = Backing(backing) else {
                throw SubcommandError("inspect: --backing: \(Backing.usage): try 'swiftlet inspect --help'")
            }
            wishes.backing = kind
        }
        return wishes
    }

    private func method() throws(SubcommandError) -> BootMethod? {
        guard let boot else { return nil }
        if let method = BootMethod(boot) { return method }
        throw SubcommandError("inspect: --boot: \(BootMethod.usage): try 'swiftlet inspect --help'")
    }

    private func size(_ option: String, _ text: String?) throws(SubcommandError) -> UInt64? {
        guard let text else { return nil }
        do throws(MemorySizeError) { return try MemorySize.parse(text) } catch {
            throw SubcommandError("inspect: \(option) \(printable(error.message)): try 'swiftlet inspect --help'")
        }
    }

    private func moduleSize() throws(SubcommandError) -> UInt64 {
        guard let module else { return 0 }
        return try InspectedFile(module).size
    }
}
