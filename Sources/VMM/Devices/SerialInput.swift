// The thread that waits for what is typed while a kernel runs or sleeps in HLT: it kicks the vCPU, which takes it.
//
// Nothing is read here: the serial port is the vCPU thread's alone. The thread waits for the console, says so once, and
// goes on when the vCPU has taken something and has room again. Read next: VirtioBus.swift.

import Host
import KVM
import Synchronization

package final class SerialInput: Sendable {
    /// The vCPU has room, or the end has come.
    private let event: EventFD
    private let isStopping = Atomic(false)
    private let isWaiting = Atomic(false)

    init() throws(KVMError) { event = try EventFD() }

    /// Whether there is something to read.
    var isReady: Bool { isWaiting.load(ordering: .acquiring) }

    /// On the vCPU's thread.
    func start(_ console: Console) throws(HostError) -> Thread {
        let vcpu = ThreadReference.current
        isStopping.store(false, ordering: .releasing)  // after a pause
        return try Thread {
            while !self.isStopping.load(ordering: .acquiring) {
                let (isReady, isWoken, _) = wait(for: WaitFor(console.input), WaitFor(self.event.fd), nanoseconds: nil)
                if isWoken { _ = self.event.take() }
                if isWoken || !isReady { continue }
                self.isWaiting.store(true, ordering: .releasing)
                vcpu.kick()
                while self.isReady, !self.isStopping.load(ordering: .acquiring) {
                    _ = wait(for: WaitFor(self.event.fd), nanoseconds: nil)
                    _ = self.event.take()
                }
            }
        }
    }

    /// By the vCPU's thread: what there was is taken, and there is room for more.
    func goOn() {
        isWaiting.store(false, ordering: .releasing)
        event.signal()
    }

    /// Nothing more will be read.
    func end() {
        isStopping.store(true, ordering: .releasing)
        goOn()
    }

    func stop(_ thread: consuming Thread) {
        end()
        thread.join()
    }
}
