// A function call into a virtual machine: the guest that was saved in a file gets this program's arguments as its input.
//
//     bin/swiftlet run --snapshot upper.snapshot --snapshot-exit guests/build/upper.elf
//     call upper.snapshot hello world        prints HELLO WORLD
//
// `make example` does both. Read next: docs/library.md.

import Foundation
import Snapshot
import VMM

func call(_ path: String, _ input: [UInt8]) throws(SnapshotError) -> Int32 {
    let snapshot = try Snapshot(path)
    try snapshot.guardAgainstTruncation()
    var options = PoolOptions()
    options.timeout = 5_000_000_000
    options.outputLimit = 1 << 20
    let pool = try Pool(snapshot, options)  // in a server: once, and `call` from any thread
    let answer = try pool.call(input)
    FileHandle.standardOutput.write(Data(answer.output))
    if let message = answer.message { say(message) }
    return answer.status
}

func say(_ text: String) { FileHandle.standardError.write(Data("call: \(text)\n".utf8)) }

guard CommandLine.arguments.count >= 2 else {
    say("usage: call SNAPSHOT [WORD...]")
    exit(2)
}
let text = CommandLine.arguments.dropFirst(2).joined(separator: " ") + "\n"
do { exit(try call(CommandLine.arguments[1], Array(text.utf8))) } catch {
    say(error.message)
    exit(Stop.errorStatus)
}
