// The subcommands that measure: exits, memory, startup, all. They differ in their rows only.
//
// Read next: Method/Session.swift.

import ArgumentParser
import Host
import KVM
import Measure
import Rig
import Subcommand
import VMM

struct ExitsCommand: Subcommand {
    static let configuration = measuring("exits", "What a VM exit costs, of each kind: from ring 3, ring 0 and real mode.")
    @OptionGroup var options: MeasureOptions
    func perform() throws(SubcommandError) -> Int32 { try options.run([.exits]) }
}

struct MemoryCommand: Subcommand {
    static let configuration = measuring("memory", "What guest memory costs: slots, mapping, first touch, dirty logging.")
    @OptionGroup var options: MeasureOptions
    func perform() throws(SubcommandError) -> Int32 { try options.run([.memory]) }
}

struct StartupCommand: Subcommand {
    static let configuration = measuring("startup", "What each phase of a start costs, cold and repeated.")
    @OptionGroup var options: MeasureOptions
    func perform() throws(SubcommandError) -> Int32 { try options.run([.startup]) }
}

struct AllCommand: Subcommand {
    static let configuration = measuring("all", "Exits, memory and startup.")
    @OptionGroup var options: MeasureOptions
    func perform() throws(SubcommandError) -> Int32 { try options.run(Group.allCases) }
}

private func measuring(_ name: String, _ abstract: String) -> CommandConfiguration {
    CommandConfiguration(commandName: name, abstract: abstract, usage: "swiftlet bench \(name) [OPTIONS]")
}

/// Where to find what is measured.
struct PathOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The swiftlet to measure (the one beside this program).", valueName: "program"))
    var swiftlet: String?

    @Option(help: ArgumentHelp("The C twin.", valueName: "program"))
    var twin = "benchmarks/build/twin"

    @Option(help: ArgumentHelp("Where the guests were built.", valueName: "folder"))
    var guests = "guests/build"

    var workshop: Workshop {
        Workshop(swiftlet: swiftlet ?? "\(ownFolder() ?? ".")/swiftlet", twin: twin, guests: guests)
    }
}

struct MeasureOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The CPU that the vCPU's thread is pinned to (the last one).", valueName: "n"))
    var cpu: Int?

    @Option(help: ArgumentHelp("Interleaved repeats; confidence is over them (10).", valueName: "n"))
    var repeats = 10

    @Option(help: ArgumentHelp("Samples of a row in each repeat (1000).", valueName: "n"))
    var samples = 1000

    @Option(help: ArgumentHelp("Only rows whose id contains this.", valueName: "text"))
    var only: String?

    @OptionGroup var paths: PathOptions

    func run(_ groups: [Group]) throws(SubcommandError) -> Int32 {
        let allowed = allowedCPUs()
        let cpu = cpu ?? allowed.last ?? 0
        do throws(HostError) { try pinThread(to: cpu) } catch { throw SubcommandError("bench: --cpu \(cpu): \(error.message)") }
        let equipment = Equipment(
            workshop: paths.workshop, images: ExitImages(folder: paths.guests), cpu: cpu,
            otherCPU: allowed.first { $0 != cpu })
        let all = exitExperiments(equipment) + memoryExperiments(equipment) + startupExperiments(equipment)
        let experiments = all.filter { experiment in
            groups.contains(experiment.subject.group) && (only.map { experiment.subject.id.contains($0) } ?? true)
        }
        var session = Session(experiments, repeats: repeats, amount: Amount(samples: samples, warmUps: samples / 10))
        do throws(ExperimentError) {
            let kvm: KVM
            do throws(RigError) { kvm = try openKVM() } catch { throw ExperimentError(error) }
            let floor = try Floor(kvm)
            session.run(floor: { () throws(ExperimentError) in floor.median() }, tell: { _, _, _ in })
        } catch { throw SubcommandError("bench: \(error)") }
        for row in session.rows { try printResult(row.line) }
        return 0
    }
}

extension Row {
    fileprivate var line: String {
        if let unavailable = unavailable ?? failed { return "\(subject.id): \(unavailable)\n" }
        let parts = samples.map { part in
            let d = Distribution(part.repeats.flatMap { $0 })
            return "\(part.name.rawValue) \(decimal(d?.p50 ?? 0, 0)) p99 \(decimal(d?.p99 ?? 0, 0))"
        }
        let ratio = floorRatio.map { "x\(decimal($0.median, 3)) (\(decimal($0.low, 3)) to \(decimal($0.high, 3)))" } ?? ""
        return "\(subject.id): \(parts.joined(separator: ", ")) \(ratio)\n"
    }
}

/// This host, now.
func currentEnvironment() -> Environment {
    let modules = paths(matching: "/sys/module/kvm_*").compactMap { $0.split(separator: "/").last.map(String.init) }
    return Environment(versions: ["swiftlet": swiftletVersion], modules: modules) { kernelText($0) }
}

/// A small file of /proc or /sys.
func kernelText(_ path: String) -> String? {
    do throws(HostError) {
        return String(decoding: try File.regular(path).read(at: 0, 1 << 20), as: UTF8.self)
    } catch { return nil }
}
