// A thread that can be kicked out of KVM_RUN and out of any blocking system call.
//
// pthread and not Task: a vCPU blocks in the kernel, and a kick is a signal to one thread. The body runs in a free
// function, because a closure written inside main would be isolated to the main actor and trap on another thread.
// Read next: Signals.swift.

import CHost
import Glibc

/// A running thread; `join` before it goes out of scope.
public struct Thread: ~Copyable {
    private let handle: pthread_t

    /// Starts `body`. The stop signals must have been blocked before (StopSignals), so that they go to the main thread.
    public init(_ body: @escaping @Sendable () -> Void) throws(HostError) {
        useOneHeap()
        var handle = pthread_t()
        let box = unsafe Unmanaged.passRetained(Body(body))
        let result = unsafe pthread_create(&handle, nil, threadEntry, box.toOpaque())
        if result != 0 {
            unsafe box.release()
            throw HostError("pthread_create", "", errno: result)
        }
        self.handle = handle
    }

    /// Ends a blocking call of the thread with EINTR and has its vCPU leave the guest.
    public func kick() { pthread_kill(handle, chost_kick_signal()) }

    public consuming func join() { pthread_join(handle, nil) }

    /// How often the calling thread went to sleep of its own will (getrusage(2), ru_nvcsw).
    public static func voluntarySwitches() -> Int {
        var usage = rusage()
        let thisThread: Int32 = 1  // RUSAGE_THREAD, a GNU extension that the module hides
        return unsafe getrusage(thisThread, &usage) == 0 ? usage.ru_nvcsw : 0
    }

    /// Installs the kick's signal handler; once for the process.
    public static func installKick() throws(HostError) {
        let result = chost_install_kick()
        if result < 0 { throw HostError("sigaction", "", errno: Int32(-result)) }
    }

    /// Lets kicks through to the calling thread, which another may have made with all signals blocked.
    public static func acceptKicks() { chost_unblock_kick() }

    /// Names the byte that a kick of the calling thread sets (`kvm_run.immediate_exit`); 0 before it is unmapped.
    public static func setKickByte(address: UInt) {
        // Sound: the vCPU's mapping outlives the thread's use of it (VCPUThread).
        unsafe chost_set_kick_byte(UnsafeMutablePointer(bitPattern: address))
    }
}

/// A thread for others to kick: taken by itself, used only while it runs.
public struct ThreadReference: Sendable, Equatable {
    private let handle: pthread_t

    public static var current: ThreadReference { ThreadReference(handle: pthread_self()) }

    public func kick() { pthread_kill(handle, chost_kick_signal()) }
}

private final class Body: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

private func threadEntry(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    chost_unblock_kick()
    // Sound: `Thread.init` passed a retained Body, and this is the only place that takes it.
    if let argument = unsafe argument { unsafe Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run() }
    return nil
}

/// A timer that kicks the thread that made it.
public struct KickTimer: ~Copyable, Sendable {
    private let timer: Int

    public init() throws(HostError) {
        chost_unblock_kick()
        // Not straight into the property: a throw would then delete a timer that is none.
        let result = chost_create_kick_timer()
        if result < 0 { throw HostError("timer_create", "", errno: Int32(-result)) }
        timer = result
    }

    deinit { chost_delete_timer(timer) }

    /// Kicks once after that many nanoseconds (0: at once); nil disarms.
    public func arm(nanoseconds: UInt64?) {
        _ = chost_arm_timer(timer, nanoseconds.map { max($0, 1) } ?? 0)
    }
}
