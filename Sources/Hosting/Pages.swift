// A text that is longer than a screen: a machine's log, its details, facts about the host. A log follows its end.
//
// Read next: HostFacts.swift.

struct Pages {
    enum Source { case log(HostedMachine), details(HostedMachine), facts }

    private let source: Source
    /// The first line that is shown; nil: as far down as there is text.
    private var top: Int?
    /// Of what was drawn last.
    private var height = 1
    private var count = 0

    init(_ source: Source) {
        self.source = source
        if case .log = source { top = nil } else { top = 0 }
    }

    /// Whether it stays.
    mutating func press(_ key: Key) -> Bool {
        let last = max(0, count - height)
        let now = top ?? last
        switch key {
        case .up, .letter(UInt8(ascii: "k")): top = now - 1
        case .down, .enter, .letter(UInt8(ascii: "j")): top = now + 1
        case .pageUp, .letter(UInt8(ascii: "b")): top = now - height
        case .pageDown, .letter(UInt8(ascii: " ")): top = now + height
        case .home, .letter(UInt8(ascii: "g")): top = 0
        case .end, .letter(UInt8(ascii: "G")):
            top = nil
            return true
        default: return ![.escape, .left, .backspace, .letter(UInt8(ascii: "q"))].contains(key)
        }
        top = max(0, top ?? 0)
        if case .log = source, top ?? 0 >= last { top = nil }
        top = top.map { min($0, last) }
        return true
    }

    mutating func draw(on screen: inout Screen, _ now: UInt64, _ facts: HostFacts) {
        let lines = text(facts, now).flatMap { wrapped($0, width: screen.columns) }
        height = max(1, screen.rows - 2)
        count = lines.count
        let last = max(0, count - height)
        let first = min(top ?? last, last)
        let end = min(count, first + height)
        screen.put(" \(title)", row: 0, .reverse, fills: true)
        for (row, line) in lines[first..<end].enumerated() { screen.put(line, row: 1 + row) }
        let place = count == 0 ? "empty" : "\(first + 1)-\(end) of \(count)"
        let keys = " q back  Up/Down line  Space/b page  g/G begin/end"
        screen.put("\(keys)   \(place)", row: screen.rows - 1, .reverse, fills: true)
        screen.cursor = (screen.rows - 1, 0)
    }

    private var title: String {
        switch source {
        case .log(let machine): "Log of \(machine.id), the last \(ConsoleLog.capacity >> 10) KiB"
        case .details(let machine): "Details of \(machine.id)"
        case .facts: "This host, as 'swiftlet doctor' sees it"
        }
    }

    private func text(_ facts: HostFacts, _ now: UInt64) -> [[UInt8]] {
        switch source {
        case .log(let machine): PlainText(machine.log.bytes).lines
        case .details(let machine): machine.details(now)
        case .facts: facts.lines
        }
    }
}

extension HostedMachine {
    /// All that is known, as lines.
    fileprivate func details(_ now: UInt64) -> [[UInt8]] {
        var lines = ["\(name)\(definition.map { $0.vendor.isEmpty ? "" : ", \($0.vendor)" } ?? "")", ""]
        if let definition {
            if !definition.description.isEmpty { lines += [definition.description, ""] }
            lines += [definition.summary, "swiftlet \(definition.command.joined(separator: " "))", ""]
        }
        if let problem { lines.append(problem) }
        if let change { lines.append(change) }
        let report = report(now)
        var state = stateText(now)
        if let pid = report.pid { state += ", process \(pid)" }
        if let bytes = report.residentBytes { state += ", \(bytes >> 10) KiB of memory in use" }
        lines += [state, "\(starts) starts, \(restarts) of them by its restart policy"]
        if let exits { lines.append("\(exits) exits counted in runs that have ended") }
        if !diagnosis.isEmpty { lines += ["", "What Swiftlet said of the last run:"] }
        return lines.map { asciiBytes($0) } + diagnosis
    }
}
