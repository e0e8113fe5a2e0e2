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
        var lines = bytes.split(separator: UInt8(ascii: "\n")).makeIterator()
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
        guard samples[key, default: []].count == turn else {
            throw SubcommandError("bench: \(name): repeat \(turn) of \(key.id) is out of order")
        }
        samples[key, default: []].append(values)
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
                let medians = repeats.map { percentile(0.5, ofSorted: $0.sorted()) }
                guard Distribution(repeats.flatMap(\.self)) == part.distribution, medians == part.medians,
                    Interval(of: medians) == part.interval
                else { return "\(row.id): its samples of \(part.name.rawValue) say something else" }
                seen += 1
            }
            if let ratio = row.floorRatio, Ratio(of: row.total?.medians ?? [], to: row.floors) != ratio {
                return "\(row.id): its ratio to the bare KVM_RUN is not that of its medians"
            }
        }
        return seen == samples.count ? nil : "there are samples of rows that are not in the report"
    }
}

private func words(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes.prefix(200), as: UTF8.self) }
