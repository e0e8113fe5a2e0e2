// What monitoring wants to know of the host, in OpenMetrics' text format.
//
// https://prometheus.io/docs/specs/om/open_metrics_spec/: a counter's samples end in _total, the whole in "# EOF".
// Read next: MetricsServer.swift.

struct Metrics {
    private(set) var text = ""

    init(_ machines: [MachineReport]) {
        family("swiftlet_machines", "gauge", "Machines by state.")
        for state in MachineState.names {
            sample("swiftlet_machines", ["state": state], machines.count { $0.state == state })
        }
        each(machines, "swiftlet_machine_running", "gauge", "Whether the machine runs.") { $0.pid == nil ? 0 : 1 }
        each(machines, "swiftlet_machine_starts", "counter", "Starts, whoever asked for them.") { $0.starts }
        each(machines, "swiftlet_machine_restarts", "counter", "Starts that the restart policy made.") { $0.restarts }
        each(machines, "swiftlet_machine_uptime_seconds", "gauge", "Since the machine's start.", "seconds") {
            $0.uptimeSeconds
        }
        each(machines, "swiftlet_machine_memory_bytes", "gauge", "Memory that the guest may use.", "bytes") {
            $0.memoryBytes
        }
        each(machines, "swiftlet_machine_resident_bytes", "gauge", "Memory that its process uses.", "bytes") {
            $0.residentBytes
        }
        each(machines, "swiftlet_machine_end_status", "gauge", "How the last run ended, as a shell's status.") {
            $0.endStatus
        }
        each(machines, "swiftlet_machine_exits", "counter", "VM exits of runs that have ended, where counted.") {
            $0.exits
        }
        text += "# EOF\n"
    }

    /// A family with a sample of each machine that has one.
    private mutating func each<Value>(
        _ machines: [MachineReport], _ name: String, _ type: String, _ help: String, _ unit: String? = nil,
        _ value: (MachineReport) -> Value?
    ) {
        family(name, type, help, unit)
        for machine in machines {
            guard let value = value(machine) else { continue }
            sample(name + (type == "counter" ? "_total" : ""), ["machine": machine.id], value)
        }
    }

    private mutating func family(_ name: String, _ type: String, _ help: String, _ unit: String? = nil) {
        text += "# TYPE \(name) \(type)\n"
        if let unit { text += "# UNIT \(name) \(unit)\n" }
        text += "# HELP \(name) \(help)\n"
    }

    /// A machine's id needs no escapes.
    private mutating func sample(_ name: String, _ labels: KeyValuePairs<String, String>, _ value: Any) {
        let label = labels.map { "\($0.key)=\"\($0.value)\"" }.joined(separator: ",")
        text += "\(name){\(label)} \(value)\n"
    }
}
