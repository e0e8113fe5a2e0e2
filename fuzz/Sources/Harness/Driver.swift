// What every fuzzer here does around its one function: write its seeds when asked to, or else let libFuzzer run.
//
// Read next: ImageRun.swift, CallRun.swift.

import CFuzz
import Glibc
import Host

/// A seed: a name for its file, and the input.
public typealias Seed = (name: String, input: [UInt8])

/// Runs `test` on inputs as libFuzzer's options say. With `--seeds FOLDER` writes the seeds there and ends.
public func runFuzzer(
    seeds: () -> [Seed], _ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> Never {
    if CommandLine.arguments.count == 3, CommandLine.arguments[1] == "--seeds" {
        write(seeds(), to: CommandLine.arguments[2])
        exit(0)
    }
    signal(SIGPIPE, SIG_IGN)
    var count = CommandLine.argc
    var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
    exit(LLVMFuzzerRunDriver(&count, &arguments, test))
}

private func write(_ seeds: [Seed], to folder: String) {
    for seed in seeds {
        do throws(HostError) {
            try File("\(folder)/\(seed.name)", .create).write(seed.input, at: 0)
        } catch {
            writeText("\(error.message)\n")
            exit(1)
        }
    }
}

/// What must hold whatever the input. Its failure is a find.
func require(_ condition: Bool, _ what: String) {
    if !condition { fatalError(what) }
}
