// A walk as a drawing: the address's bits, a column for each table with the entry that it led to, the page, and below them
// physical memory with its slots. What is to blame is red.
//
// Not to scale but for the entries, which stand where they stand in their table. Read next: docs/walk.md.

import Subcommand
import VMM
import X86

struct WalkDrawing {
    private let report: WalkReport
    private var svg = SVG()

    private static let (width, height, margin) = (1180.0, 670.0, 24.0)
    private static let (top, tableHeight) = (150.0, 220.0)
    private let ink = "#222222"
    private let pale = "#eef2f7"
    private let good = "#1f6f43"
    private let bad = "#b3261e"

    init(_ report: WalkReport) {
        self.report = report
        drawTitle()
        drawBits()
        drawTables()
        drawMemory()
        drawVerdicts()
    }

    var document: String {
        svg.document(width: Self.width, height: Self.height, title: "walk of \(hex(report.walk.address))")
    }

    private var walk: ExplainedWalk { report.walk }

    /// One for each level, and one for the page.
    private var columnCount: Int { walk.state.mode.levels.count + 1 }
    private var columnWidth: Double { (Self.width - 2 * Self.margin) / Double(columnCount) }
    private func left(_ column: Int) -> Double { Self.margin + Double(column) * columnWidth }

    private mutating func drawTitle() {
        let name = report.name.map { " (\($0))" } ?? ""
        svg.words("\(hex(walk.address))\(name)", (Self.margin, 36), size: 20, bold: true)
        let mode = "\(walk.state.mode.rawValue); CR3 \(hex(walk.state.cr3))"
        svg.words(mode, (Self.width - Self.margin, 36), size: 14, anchor: .end)
    }

    /// The address in binary, cut as the levels cut it, each part above the table that it indexes.
    private mutating func drawBits() {
        for (column, bits) in walk.addressBits.enumerated() {
            let isOffset = column == walk.addressBits.count - 1
            let place = isOffset ? columnCount - 1 : column
            let x = left(place)
            svg.box((x, 62), (x + columnWidth - 16, 92), fill: pale, stroke: ink)
            let size = min(14, (columnWidth - 24) / Double(bits.count) / 0.62)
            svg.words(bits, (x + (columnWidth - 16) / 2, 82), size: size, anchor: .middle)
            let levels = walk.state.mode.levels
            let what =
                isOffset
                ? "offset in the page" : "\(levels[column].kind.rawValue) index \(levels[column].index(walk.address))"
            svg.words(what, (x + (columnWidth - 16) / 2, 108), size: 11, anchor: .middle)
        }
    }

    private mutating func drawTables() {
        for (column, step) in walk.steps.enumerated() { drawTable(step, column) }
        for column in walk.steps.count..<columnCount - 1 {
            let why = walk.page == nil ? "never reached" : "not needed: a large page"
            svg.words(
                why, (left(column) + (columnWidth - 40) / 2, Self.top + 110), size: 11, anchor: .middle,
                color: "#777777")
        }
        drawPage()
    }

    private mutating func drawTable(_ step: ExplainedWalk.Step, _ column: Int) {
        let isBroken = walk.stop?.step == column
        let (x, right) = (left(column), left(column) + columnWidth - 40)
        svg.words("\(step.level.kind.rawValue) at \(hex(step.table))", (x, Self.top - 8), size: 12, bold: true)
        svg.box(
            (x, Self.top), (right, Self.top + Self.tableHeight), fill: step.entry == nil ? "#ffffff" : pale, stroke: ink
        )
        let y = slotTop(step)
        svg.box((x, y), (right, y + 22), fill: isBroken ? bad : "#cfe0f3", stroke: ink)
        let entry = step.entry.map { hex($0) } ?? "no memory"
        let size = min(12, (right - x - 8) / Double(entry.count) / 0.62)
        svg.words(
            entry, ((x + right) / 2, y + 15), size: size, anchor: .middle, color: isBroken ? "#ffffff" : ink,
            bold: isBroken)
        svg.words("[\(step.index)]", (right + 3, y + 7), size: 10)
        for (line, word) in step.meaning(walk.state).enumerated() {
            svg.words(
                word, (x, Self.top + Self.tableHeight + 18 + 13 * Double(line)), size: 11, color: isBroken ? bad : ink)
        }
        if !isBroken, column < columnCount - 1 { drawArrow(from: (right, y + 11), to: nextPlace(column)) }
    }

    /// Where in its box an entry stands.
    private func slotTop(_ step: ExplainedWalk.Step) -> Double {
        Self.top + Double(step.index) / Double((1 << step.level.bits) - 1) * (Self.tableHeight - 22)
    }

    /// Of what the entry in a column leads to: the next table's upper edge, or the page.
    private func nextPlace(_ column: Int) -> SVG.Point {
        let isLast = column == walk.steps.count - 1
        return (left(isLast ? columnCount - 1 : column + 1) - 2, Self.top + (isLast ? 60 : 8))
    }

    private mutating func drawArrow(from start: SVG.Point, to end: SVG.Point) {
        svg.curve([start, (start.x + 24, start.y), (end.x - 12, end.y), end], good)
        svg.curve([(end.x - 7, end.y - 4), end, (end.x - 7, end.y + 4)], good)
    }

    private mutating func drawPage() {
        let x = left(columnCount - 1)
        let right = Self.width - Self.margin
        guard let page = walk.page else {
            svg.box((x, Self.top + 40), (right, Self.top + 100), fill: "#ffffff", stroke: bad)
            svg.words("fault", ((x + right) / 2, Self.top + 76), size: 16, anchor: .middle, color: bad, bold: true)
            return
        }
        svg.words("page of \(bytes(page.size))", (x, Self.top - 8), size: 12, bold: true)
        svg.box((x, Self.top + 40), (right, Self.top + 140), fill: "#e3f1e8", stroke: ink)
        svg.words("at \(hex(page.start))", (x + 8, Self.top + 60), size: 12)
        let y = Self.top + 68 + Double(page.physical - page.start) / Double(page.size) * 50
        svg.box((x, y), (right, y + 18), fill: "#a8d5b9", stroke: ink)
        svg.words("byte \(hex(page.physical))", (x + 8, y + 13), size: 12)
    }
}

extension WalkDrawing {
    /// Slots side by side, each with what lies in it; the widths say nothing.
    private mutating func drawMemory() {
        let regions = report.map.regions
        let (y, physical) = (520.0, walk.page?.physical)
        svg.words("guest-physical memory", (Self.margin, y - 12), size: 12, bold: true)
        let width = (Self.width - 2 * Self.margin) / Double(max(regions.count, 1))
        for (number, region) in regions.enumerated() {
            let x = Self.margin + Double(number) * width
            let isHere = physical.map { region.range.contains($0) } ?? false
            svg.box((x, y), (x + width, y + 34), fill: isHere ? "#a8d5b9" : pale, stroke: ink)
            svg.words(region.what, (x + width / 2, y + 15), size: 11, anchor: .middle, bold: isHere)
            svg.words(hex(region.range.lowerBound), (x + width / 2, y + 29), size: 9, anchor: .middle)
        }
        svg.words(place, (Self.margin, y + 54), size: 12)
    }

    private var place: String {
        guard let page = walk.page else { return "the walk ends before it comes to an address" }
        let slot = report.map.slot(of: page.physical)
        let slotText = slot.map { "memory slot \($0.index)\($0.isReadOnly ? ", read-only" : "")" } ?? "no memory slot"
        return "guest-physical \(hex(page.physical)): \(slotText)" + (report.host.map { "; host: \($0)" } ?? "")
    }

    private mutating func drawVerdicts() {
        for (line, access) in report.accesses.enumerated() {
            let verdict = report.verdict(access)
            let isAllowed = walk.fault(of: access) == nil
            let y = 604 + 18 * Double(line)
            svg.words(access.kind.rawValue, (Self.margin, y), size: 13, bold: true)
            svg.words(verdict, (Self.margin + 70, y), size: 13, color: isAllowed ? good : bad)
        }
    }
}
