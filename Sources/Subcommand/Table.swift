// Columns that line up, for people to read.
//
// Read next: JSON.swift.

/// Rows of cells. Every column is as wide as its widest cell; the last is not padded.
public struct Table: Sendable {
    public enum Alignment: Sendable { case left, right }

    private let columns: [Alignment]
    private var rows: [[String]] = []

    public init(_ columns: Alignment...) { self.init(columns: columns) }

    public init(columns: [Alignment]) { self.columns = columns }

    /// Cells beyond the columns are left out.
    public mutating func add(_ cells: String...) { add(cells: cells) }

    public mutating func add(cells: [String]) { rows.append(cells) }

    /// A line for each row, `indent` spaces before and two between columns.
    public func lines(indent: Int = 2) -> [String] {
        let widths = columns.indices.map { column in
            rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        return rows.map { row in
            var line = spaces(indent)
            for (column, cell) in row.enumerated() where column < columns.count {
                if column > 0 { line += "  " }
                let space = spaces(widths[column] - cell.count)
                line += columns[column] == .right ? space + cell : cell + space
            }
            while line.last == " " { line.removeLast() }
            return line
        }
    }
}

private func spaces(_ count: Int) -> String { String(repeating: " ", count: count) }
