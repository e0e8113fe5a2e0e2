// Signals that stop a machine, clocks, entropy and the CPU: small things, each used once at start.
//
// Read next: BootTests.

import Glibc
import Host
import TestSupport
import Testing

@Suite struct SignalTests {
    /// On a thread of our own, because the mask is a thread's.
    @Test func stopSignalsAreReadNotDelivered() throws {
        let outcome = Shared()
        let thread = try Thread {
            guard let signals = try? StopSignals(), signals.take() == nil else { return }
            for number in [SIGINT, SIGTERM, SIGHUP, SIGQUIT] {
                pthread_kill(pthread_self(), number)
                let (ready, _, _) = wait(for: WaitFor(signals.fd), nanoseconds: nil)
                if ready, signals.take() == number { outcome.value += 1 }
            }
            outcome.isDone = signals.take() == nil
        }
        thread.join()
        #expect(outcome.isDone)
        #expect(outcome.value == 4)
    }

    @Test func signalsHaveNames() {
        let names = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE].map(signalName)
        #expect(names == ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGPIPE"])
        #expect(signalName(40) == "signal 40")
        #expect(interruptSignal == SIGINT)
    }
}

@Suite struct ClockTests {
    @Test func clocksAdvance() {
        let (monotonic, tsc) = (Clock.monotonic(), Clock.tsc())
        usleep(100)
        #expect(Clock.monotonic() - monotonic >= 100_000)
        #expect(Clock.tsc() > tsc)
    }

    @Test func timeOfDayIsTheKernels() {
        let before = time(nil)
        let now = Clock.realtime()
        #expect(now.seconds >= before && now.seconds <= time(nil) + 1)  // time(2) is a tick behind
        #expect(now.nanoseconds < 1_000_000_000)
    }
}

@Suite struct EntropyTests {
    @Test func seedsDiffer() throws {
        let (a, b) = (try randomSeed(), try randomSeed())
        #expect(a != b)
    }

    @Test(arguments: [0, 1, 255, 256])
    func spansAreFilled(count: Int) {
        let (failure, bytes) = withZeroedBytes(count) { fillRandom(&$0) }
        #expect(failure == nil)
        if count >= 255 { #expect(Set(bytes).count > 64) }
    }
}

@Suite struct ProcessorTests {
    @Test func thisIsA64BitCPUWithSSE2() {
        #expect(Processor.cpuid(1).edx & 1 << 26 != 0)
        #expect(Processor.cpuid(0x8000_0001).edx & 1 << 29 != 0)
        #expect(Processor.xcr0(leaf1ECX: Processor.cpuid(1).ecx) & 3 == 3)
        #expect(Processor.memorySize() >= 64 << 20)
    }
}

@Suite struct ProcessTests {
    @Test func programThatIsNowhereIsAReason() {
        #expect(execute("swiftlet-there-is-no-such-program", []) == "No such file or directory")
    }

    @Test func exitStatusIsExact() async {
        await #expect(processExitsWith: .exitCode(137)) { exitProcess(137) }
    }
}
