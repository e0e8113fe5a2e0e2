// A measurement from the first look at the host to the last file written.
//
// Read next: Method/Equipment.swift.

import Host
import KVM
import Measure
import Rig
import Subcommand
import VMM

struct Measurement {
    private let equipment: Equipment
    private let isQuick: Bool
    private let only: [String]?
    private let amount: Amount
    private var session: Session

    init(
        _ experiments: [any Experiment], _ equipment: Equipment, _ amount: (repeats: Int, samples: Amount),
        isQuick: Bool, only: [String]
    ) {
        self.equipment = equipment
        self.only = only.isEmpty ? nil : only
        self.isQuick = isQuick
        self.amount = amount.samples
        session = Session(experiments, repeats: amount.repeats, amount: amount.samples)
    }

    /// Measures, prints, writes; the exit status. Ctrl-C and its kin end it after the current step, with what there is.
    mutating func run(_ files: ReportFiles) throws(SubcommandError) -> Int32 {
        let environment = currentEnvironment(versions: versions)
        let started = Clock.realtime().seconds
        let begin = Clock.monotonic()
        let (clockStep, noise, stop) = try measure()
        let seconds = Double(Clock.monotonic() - begin) / 1e9
        let method = MethodRecord(
            started: timestamp(started), seconds: (seconds * 10).rounded() / 10, cpu: equipment.cpu,
            otherCpu: equipment.otherCPU, repeats: session.repeats, samples: amount.samples, warmUps: amount.warmUps,
            clockStep: clockStep, isQuick: isQuick, isPartial: session.isPartial, build: .own, only: only,
            noise: noise)
        let report = Report(environment, method, session.rows)
        if !files.useStandardOutput { try printResult(ReportTable.text(report)) }
        try files.write(report, session.rows)
        // The last line, so that nobody takes a report with holes for a whole one.
        if let failure = report.failure {
            if files.useStandardOutput {
                writeText("swiftlet: bench: \(failure)\n")
            } else {
                try printResult("\n\(failure)\n")
            }
        }
        return stop.map { 128 + $0 } ?? (report.failure == nil ? 0 : 1)
    }

    /// The clock's step, what disturbed it, and the signal that ended it.
    private mutating func measure() throws(SubcommandError) -> (Double, Noise?, Int32?) {
        let floor: Floor
        do throws(ExperimentError) { floor = try Floor(try Self.kvm()) } catch {
            throw SubcommandError("bench: \(error.reason)")
        }
        do throws(HostError) {
            let (noise, stop) = run(floor, try StopSignals())
            return (floor.clockStep, noise, stop)
        } catch {
            throw SubcommandError("bench: \(error.message)")
        }
    }

    private mutating func run(_ floor: borrowing Floor, _ signals: borrowing StopSignals) -> (Noise?, Int32?) {
        var progress = Progress()
        var looks: [HostActivity] = []
        var stop: Int32?
        let (cpu, steps) = (equipment.cpu, session.rows.count)
        equipment.workshop.interruption.watch(signals)
        defer { equipment.workshop.interruption.end() }
        session.run(
            floor: { () throws(ExperimentError) in floor.median() },
            tell: { done, all, next in
                if done % steps == 0 { looks.append(HostActivity(cpu: cpu, .here)) }
                progress.tell(done, all, next)
            },
            isStopped: {
                stop = stop ?? signals.take()
                return stop != nil
            })
        looks.append(HostActivity(cpu: cpu, .here))
        progress.finish()
        return (Noise(looks, seconds: progress.seconds), stop)
    }

    private static func kvm() throws(ExperimentError) -> KVM {
        do throws(RigError) { return try openKVM() } catch { throw ExperimentError(error) }
    }

    /// Of what is measured here.
    private var versions: [String: String] {
        var versions = ["swiftlet": swiftletVersion]
        let usesQEMU = session.rows.contains { $0.subject.id.contains("qemu") }
        if usesQEMU, let text = try? equipment.workshop.output(QEMU.path, ["--version"]) {
            // "QEMU emulator version 7.2.17 (Debian 1:7.2+dfsg-7)"
            versions["qemu"] = text.split(separator: " ").dropFirst(3).first.map { String($0.prefix { $0 != "\n" }) }
        }
        return versions
    }
}

extension Report {
    /// Of what a session measured.
    init(_ environment: Environment, _ method: MethodRecord, _ rows: [Row]) {
        let byID = Dictionary(rows.map { ($0.subject.id, $0) }) { first, _ in first }
        var method = method
        method.warnings = method.warnings(environment)
        self.init(
            environment: environment, method: method,
            rows: rows.map { ReportRow($0, besides: byID, clockStep: method.clockStep) })
    }
}

extension ExperimentError {
    var reason: String {
        switch self {
        case .unavailable(let why), .failed(let why): why
        }
    }
}

/// This host, now.
func currentEnvironment(versions: [String: String] = ["swiftlet": swiftletVersion]) -> Environment {
    let leaf = Processor.cpuid(0x4000_0000)
    return Environment(
        versions: versions, hypervisor: hypervisorName(signature: cpuidText([leaf.ebx, leaf.ecx, leaf.edx])), .here)
}

extension HostFiles {
    /// This host's.
    static var here: HostFiles { HostFiles(text: kernelText, paths: { Host.paths(matching: $0) }) }
}

/// A small file of /proc or /sys.
func kernelText(_ path: String) -> String? {
    do throws(HostError) {
        return String(decoding: try File.regular(path).read(at: 0, 1 << 20), as: UTF8.self)
    } catch { return nil }
}
