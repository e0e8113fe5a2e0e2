// `swiftlet bench page FOLDER`: the page that compares all hosts of a results folder, as Markdown.
//
// FOLDER/NAME/report.json is a host. Read next: ../Promises/Promises.swift.

import ArgumentParser
import Host
import Measure
import Subcommand

struct PageCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "page", abstract: "A page in Markdown that compares the hosts of a results folder.",
        usage: "swiftlet bench page FOLDER",
        discussion: "Reads FOLDER/HOST/report.json of every host. Exit status: 0 printed; 125 an error.")

    @Argument(help: ArgumentHelp("Such as benchmarks/results.", valueName: "FOLDER"))
    var folder: String

    func perform() throws(SubcommandError) -> Int32 {
        var hosts: [HostsPage.Entry] = []
        for path in paths(matching: "\(folder)/*/report.json") {
            let name = path.split(separator: "/").dropLast().last.map(String.init) ?? path
            // It becomes part of a link, and of a heading.
            if fileName(name) != name {
                throw SubcommandError("bench: \(path): a host's name is letters, digits, - and _")
            }
            hosts.append(HostsPage.Entry(name: name, report: try readReport(path)))
        }
        if hosts.isEmpty { throw SubcommandError("bench: \(folder): no HOST/report.json in it") }
        try printResult(HostsPage(hosts).text)
        return 0
    }
}

struct HostsPage {
    struct Entry {
        var name: String
        var report: Report
    }

    private let hosts: [Entry]

    init(_ hosts: [Entry]) { self.hosts = hosts.sorted { $0.name < $1.name } }

    var text: String {
        """
        # Results by host

        Made by `swiftlet bench page benchmarks/results`; docs/results-format.md tells how to add a host, docs/measuring.md how \
        to read a figure. Each cell is the median and, in brackets, its ratio to the bare `KVM_RUN` of the same host and the same \
        minutes: compare ratios, for times are also the CPU's.

        \(hostTable)
        """ + Group.allCases.map(table).joined()
    }

    private var hostTable: String {
        var text = line(["host", "CPU", "KVM", "kernel", "measured", "swiftlet", "to know"])
        text += line([String](repeating: "---", count: 7))
        for host in hosts {
            let (environment, method) = (host.report.environment, host.report.method)
            text += line([
                "[\(host.name)](\(host.name)/report.json)", plain("\(environment.cpu), \(environment.cpus) CPUs"),
                plain(environment.kvm), plain(environment.kernel), plain(String(method.started.prefix(10))),
                plain(environment.versions["swiftlet"] ?? ""), plain(host.report.warnings.joined(separator: "; ")),
            ])
        }
        return text
    }

    /// Of one group; rows in the order of the first host that has them.
    private func table(_ group: Group) -> String {
        var rows: [ReportRow] = []
        var seen: Set<String> = []
        for row in hosts.flatMap(\.report.rows) where row.group == group && seen.insert(row.id).inserted {
            rows.append(row)
        }
        if rows.isEmpty { return "" }
        var text = "\n## \(group.rawValue)\n\n" + line(["operation", "", "by"] + hosts.map(\.name))
        text += line([String](repeating: "---", count: 3) + hosts.map { _ in "--:" })
        let byHost = hosts.map { host in Dictionary(host.report.rows.map { ($0.id, $0) }) { first, _ in first } }
        for operation in rows.operations {
            // By id: what one host cannot do another can.
            for row in rows where row.what == operation.what {
                let cells = byHost.map { $0[row.id].map(cell) ?? "" }
                text += line([plain(row.what), plain(row.variant), row.place.rawValue] + cells)
            }
        }
        return text
    }

    private func cell(_ row: ReportRow) -> String {
        guard row.isMeasured, let total = row.total else { return row.failed == nil ? "not there" : "failed" }
        let ratio = row.floorRatio.map { " (\(threeDigits($0.median)))" } ?? ""
        return quantity(total.interval.median, row.unit) + ratio
    }

    private func line(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |\n" }

    /// Text from a report, with nothing in it that Markdown or HTML would take for markup or for a cell's end.
    private func plain(_ text: String) -> String {
        var plain = ""
        for character in printable(text) {
            switch character {
            case "&": plain += "&amp;"
            case "<": plain += "&lt;"
            case ">": plain += "&gt;"
            case "\\", "|", "[", "]", "`", "*": plain += "\\\(character)"
            default: plain.append(character)
            }
        }
        return plain
    }
}
