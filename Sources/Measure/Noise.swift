// What else went on while we measured: other programs on our CPU, a hypervisor that took it away, a clock rate that moved.
//
// A report says so in words, because a reader cannot see it in the figures. Sources: proc_stat(5), proc_pid_stat(5),
// proc_pid_status(5); Linux, Documentation/admin-guide/pm/cpufreq.rst. Read next: ResidentMemory.swift.

/// One look at the host's counters. What a host does not tell is nil.
public struct HostActivity: Equatable, Sendable {
    var load: Double
    /// Seconds in which that CPU did something, ours included; seconds that the hypervisor above gave to others.
    var busy: Double
    var stolen: Double
    /// Seconds of this thread and of the programs that this process ran.
    var own: Double
    /// Seconds that this thread could have run and had to wait for the CPU.
    var waited: Double
    var voluntarySwitches: Int
    var involuntarySwitches: Int
    var megahertz: Double?
    var throttles: Int?

    /// Of the calling thread and of the CPU that it is pinned to.
    public init(cpu: Int, _ host: HostFiles) {
        load = Double(host.word("/proc/loadavg").prefix { $0 != " " }) ?? 0
        // cpuN user nice system idle iowait irq softirq steal guest guest_nice, in hundredths of a second
        let ticks =
            lines(host.text("/proc/stat") ?? "").first { $0.hasPrefix("cpu\(cpu) ") }?
            .split(separator: " ").dropFirst().map { Double($0) ?? 0 } ?? []
        stolen = ticks.count > 7 ? ticks[7] / 100 : 0
        busy = ticks.count > 6 ? (ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6]) / 100 : 0
        let thread = Self.times(host.text("/proc/thread-self/stat"))
        let process = Self.times(host.text("/proc/self/stat"))
        own = thread[0] + thread[1] + process[2] + process[3]
        // Time on the CPU, time waiting for it, nanoseconds (Linux, Documentation/scheduler/sched-stats.rst).
        let schedule = host.word("/proc/thread-self/schedstat").split(separator: " ")
        waited = schedule.count > 1 ? (Double(schedule[1]) ?? 0) / 1e9 : 0
        let status = host.text("/proc/thread-self/status") ?? ""
        voluntarySwitches = Int(field("voluntary_ctxt_switches", status)) ?? 0
        involuntarySwitches = Int(field("nonvoluntary_ctxt_switches", status)) ?? 0
        let folder = "/sys/devices/system/cpu/cpu\(cpu)"
        megahertz = Double(host.word("\(folder)/cpufreq/scaling_cur_freq")).map { $0 / 1000 }
        throttles = Int(host.word("\(folder)/thermal_throttle/core_throttle_count"))
    }

    /// utime, stime, cutime, cstime: fields 14 to 17, seconds. The name in field 2 may contain anything but a last ")".
    private static func times(_ text: String?) -> [Double] {
        let fields = (text ?? "").split(separator: ")").last?.split(separator: " ") ?? []
        return (11..<15).map { $0 < fields.count ? (Double(fields[$0]) ?? 0) / 100 : 0 }
    }
}

/// What lay between looks.
public struct Noise: Equatable, Sendable, Codable {
    public var seconds: Double
    public var loadBefore: Double
    public var loadAfter: Double
    /// Of the measuring CPU's time: what went to a neighbour of this virtual machine, and to other programs.
    public var stealPercent: Double
    public var othersPercent: Double
    /// Of the time: while the measuring thread could have run and had to wait for the CPU.
    public var waitedPercent: Double
    /// Of the measuring thread: waits of its own, and times that it was made to wait.
    public var voluntarySwitches: Int
    public var involuntarySwitches: Int
    /// Of the measuring CPU, as often as we looked.
    public var lowMegahertz: Double?
    public var highMegahertz: Double?
    /// How often heat slowed it.
    public var throttles: Int?

    /// Nil with fewer than two looks.
    public init?(_ looks: [HostActivity], seconds: Double) {
        guard let first = looks.first, let last = looks.last, looks.count > 1, seconds > 0 else { return nil }
        func percent(_ part: Double) -> Double { (min(max(0, part) / seconds, 1) * 1000).rounded() / 10 }
        self.seconds = (seconds * 1000).rounded() / 1000
        loadBefore = first.load
        loadAfter = last.load
        stealPercent = percent(last.stolen - first.stolen)
        othersPercent = percent((last.busy - first.busy) - (last.own - first.own))
        waitedPercent = percent(last.waited - first.waited)
        voluntarySwitches = last.voluntarySwitches - first.voluntarySwitches
        involuntarySwitches = last.involuntarySwitches - first.involuntarySwitches
        let rates = looks.compactMap(\.megahertz)
        lowMegahertz = rates.min()
        highMegahertz = rates.max()
        if let before = first.throttles, let after = last.throttles { throttles = after - before }
    }

    /// What of it a reader must know.
    public var warnings: [String] {
        var list: [String] = []
        if othersPercent > 3 || waitedPercent > 1 {
            list.append(
                "other programs had \(othersPercent) % of the measuring CPU, and it had to wait for them "
                    + "\(waitedPercent) % of the time: ratios suffer less; look at their intervals")
        }
        if stealPercent > 1 {
            list.append("the hypervisor above took \(stealPercent) % of the measuring CPU away (steal time)")
        }
        if let low = lowMegahertz, let high = highMegahertz, high > low * 1.03 {
            list.append("the clock rate went between \(whole(low)) and \(whole(high)) MHz")
        }
        if let throttles, throttles > 0 { list.append("heat slowed the CPU \(throttles) times") }
        return list
    }

    /// A report that somebody else wrote may have any number there.
    private func whole(_ value: Double) -> String { Int(exactly: value.rounded()).map { "\($0)" } ?? "\(value)" }
}
