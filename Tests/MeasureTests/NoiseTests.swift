// What disturbed a measurement, from invented looks at a host.
//
// Read next: ResidentMemoryTests.swift.

import Testing

@testable import Measure

@Suite struct NoiseTests {
    /// A look at CPU 1; ticks of /proc/stat, nanoseconds of waiting, kilohertz.
    private func look(
        user: Int = 0, steal: Int = 0, own: Int = 0, waited: Int = 0, switches: Int = 0, kilohertz: Int? = nil,
        throttles: Int? = nil
    ) -> HostActivity {
        var files = [
            "/proc/loadavg": "0.50 0 0 1/1 1",
            "/proc/stat": "cpu  9 9 9 9\ncpu0 7 7 7\ncpu1 \(user) 0 10 500 3 0 5 \(steal) 0 0\ncpu10 1 1 1\n",
            // The name may contain anything.
            "/proc/thread-self/stat": "42 (a) b) S 1 1 1 0 -1 0 0 0 0 0 \(own) 1 1000 1000 20 0",
            "/proc/self/stat": "42 (a) b) S 1 1 1 0 -1 0 0 0 0 0 9999 9999 20 3 20 0",
            "/proc/thread-self/schedstat": "1 \(waited) 3\n",
            "/proc/thread-self/status": "voluntary_ctxt_switches:\t5\nnonvoluntary_ctxt_switches:\t\(switches)\n",
        ]
        let folder = "/sys/devices/system/cpu/cpu1"
        files["\(folder)/cpufreq/scaling_cur_freq"] = kilohertz.map { "\($0)\n" }
        files["\(folder)/thermal_throttle/core_throttle_count"] = throttles.map { "\($0)\n" }
        return HostActivity(cpu: 1, HostFiles(text: { files[$0] }))
    }

    @Test func countersOfOurCPUAndThread() {
        let look = look(user: 100, steal: 30, own: 50, waited: 2_000_000_000, switches: 7, kilohertz: 2_400_000)
        #expect((look.busy, look.stolen, look.waited) == (1.15, 0.3, 2))
        #expect(abs(look.own - 0.74) < 1e-9)
        #expect((look.voluntarySwitches, look.involuntarySwitches, look.megahertz) == (5, 7, 2400))
        #expect(look.throttles == nil)
    }

    @Test func aQuietHostIsNotWarnedOf() throws {
        let noise = try #require(Noise([look(), look(user: 1000, own: 990, waited: 50_000_000)], seconds: 10))
        #expect((noise.othersPercent, noise.stealPercent, noise.waitedPercent) == (1, 0, 0.5))
        #expect(noise.warnings.isEmpty)
    }

    @Test func eachDisturbanceIsWarnedOf() throws {
        let looks = [
            look(kilohertz: 2_000_000, throttles: 1), look(kilohertz: 3_100_000, throttles: 1),
            look(user: 1000, steal: 20, own: 500, waited: 300_000_000, kilohertz: 2_500_000, throttles: 3),
        ]
        let noise = try #require(Noise(looks, seconds: 10))
        #expect((noise.othersPercent, noise.stealPercent, noise.waitedPercent) == (50, 2, 3))
        #expect((noise.lowMegahertz, noise.highMegahertz, noise.throttles) == (2000, 3100, 2))
        let text = noise.warnings.joined(separator: "\n")
        for words in ["other programs had 50.0 %", "(steal time)", "between 2000 and 3100 MHz", "2 times"] {
            #expect(text.contains(words), "\(words)")
        }
        #expect(noise.warnings.count == 4)
    }

    @Test func waitingForTheCPUIsEnough() throws {
        let noise = try #require(Noise([look(), look(user: 1000, own: 1000, waited: 200_000_000)], seconds: 10))
        #expect((noise.othersPercent, noise.waitedPercent, noise.warnings.count) == (0, 2, 1))
    }

    @Test func oneLookTellsNothing() {
        #expect(Noise([look()], seconds: 1) == nil)
        #expect(Noise([look(), look()], seconds: 0) == nil)
    }

    @Test func whatAHostDoesNotTellIsNoNoise() throws {
        let blind = HostActivity(cpu: 0, HostFiles(text: { _ in nil }))
        #expect(try #require(Noise([blind, blind], seconds: 1)).warnings.isEmpty)
    }
}
