// faulty-disk PARENT SIZE CACHING -- serves a disk that fails on request, and takes a test's orders on its standard input.
//
// A process of its own, because a process that dies while a request of its own is under way, and which nobody but itself could
// answer, stays for ever, and no signal ends it. This one is killed when the thread that started it ends, the kernel then
// ends the connection, and requests end with it. Read next: DiskMessage.swift.

import CHost
import Glibc

func serveDisk() -> Int32 {
    let numbers = CommandLine.arguments.dropFirst().compactMap { Int($0) }
    guard numbers.count == 3, let caching = DiskCaching(rawValue: numbers[2]) else { return 2 }
    chost_end_with(pid_t(numbers[0]))
    let state = DiskState(numbers[1])
    guard let server = try? FuseServer(state, caching) else { return 1 }
    var isHeard = answer(asBytes([Int(getpid()), Int(server.mount)]), to: STDOUT_FILENO)
    while isHeard, let message = DiskMessage(from: STDIN_FILENO) {
        isHeard = answer(state.contents.withLock { $0.carryOut(message) }, to: STDOUT_FILENO)
    }
    return 0
}

exit(serveDisk())
