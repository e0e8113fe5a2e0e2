// Every sample of a report, read back from `--raw`: do they say what the report says?
//
// The file is walked once, byte by byte: it may have millions of lines. Read next: SubmitCommand.swift.

import Host
import Measure
import Subcommand

/// Samples by row and part, in the order of the file.
struct SampleFile {
    struct Key: Hashable {
        var id: String
        var part: String
    }

    /// Of each repeat, by its number.
    private(set) var samples: [Key: [[Double]]] = [:]

    init(_ bytes: [UInt8], name: String) throws(SubcommandError) {
        let comment = UInt8(ascii: "#")
        var lines = bytes.split(separator: UInt8(ascii: "\n")).drop { $0.first == comment }.makeIterator()
        guard let head = lines.next(), head.elementsEqual(CSV.sampleColumns.joined(separator: ",").utf8) else {
            throw SubcommandError("bench: \(name): not raw samples of 'swiftlet bench'")
        }
        // A sample's row and part are mostly those of the one before it.
        var prefix: ArraySlice<UInt8> = []
        var (key, turn) = (Key(id: "", part: ""), 0)
        var values: [Double] = []
        while let line = lines.next() {
            guard let sample = Line(line) else { throw SubcommandError("bench: \(name): not a sample: \(words(line))") }
            if sample.prefix != prefix {
                try add(values, key, turn, name)
                values.removeAll(keepingCapacity: true)
                prefix = sample.prefix
                (key, turn) = sample.place
            }
            values.append(sample.value)
        }
        try add(values, key, turn, name)
    }

    private mutating func add(_ values: [Double], _ key: Key, _ turn: Int, _ name: String) throws(SubcommandError) {
        if values.isEmpty { return }
        // A repeat may have none of a part, but every one has the total, which comes first.
        let missed = turn - samples[key, default: []].count
        let all = Key(id: key.id, part: PartName.total.rawValue)
        guard missed == 0 || missed > 0 && turn < samples[all, default: []].count else {
            throw SubcommandError("bench: \(name): repeat \(turn) of \(key.id) is out of order")
        }
        samples[key, default: []] += [[Double]](repeating: [], count: missed) + [values]
    }

    /// "id,part,repeat,index,value"
    private struct Line {
        /// Id, part and repeat, as they stand there.
        let prefix: ArraySlice<UInt8>
        let place: (key: Key, turn: Int)
        let value: Double

        init?(_ line: ArraySlice<UInt8>) {
            let comma = UInt8(ascii: ",")
            guard let last = line.lastIndex(of: comma), let before = line[..<last].lastIndex(of: comma),
                let value = Double(words(line[(last + 1)...]))
            else { return nil }
            prefix = line[..<before]
            let fields = prefix.split(separator: comma)
            guard fields.count == 3, let turn = Int(words(fields[2])) else { return nil }
            place = (Key(id: words(fields[0]), part: words(fields[1])), turn)
            self.value = value
        }
    }

    /// What the report says otherwise; nil when it says the same.
    func contradiction(_ report: Report) -> String? {
        var seen = 0
        for row in report.rows {
            for part in row.parts {
                let repeats = samples[Key(id: row.id, part: part.name.rawValue)] ?? []
                let step = row.unit.step(report.method.clockStep, operations: row.operations)
                if ReportRow.Part(part.name, repeats, row.unit, step: step) != part {
                    return "\(row.id): its samples of \(part.name.rawValue) say something else"
                }
                seen += 1
            }
        }
        if seen != samples.count { return "there are samples of rows that are not in the report" }
        return report.wrongRatio.map { "\($0): its ratios are not those of its medians" }
    }
}

extension Report {
    /// The id of a row with a ratio that its medians, its floors or the row beside it do not give.
    fileprivate var wrongRatio: String? {
        let byID = Dictionary(rows.map { ($0.id, $0) }) { first, _ in first }
        return rows.first { row in
            let medians = row.total?.medians ?? []
            let beside = row.beside.flatMap { byID[$0] }?.total?.medians ?? []
            return row.floorRatio != Ratio(of: medians, to: row.floors)
                || row.besideRatio != Ratio(of: medians, to: beside)
                || !row.floors.isEmpty && row.floors.count != medians.count
        }?.id
    }
}

private func words(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes.prefix(200), as: UTF8.self) }
