// ELF files by description: small valid images, and with a byte changed here or there every kind of bad one.
//
// Tests, and the fuzzers' seeds, are made of it. It checks nothing: what it is told to write it writes. Layouts: System
// V gABI, chapters 4 and 5. Read next: SampleImages.swift.

/// An ELF64 file for x86-64 in the making.
public struct ELFBuilder: Sendable {
    /// A program header and what it points at.
    public struct Segment: Sendable {
        public var type: UInt32
        /// 4 read, 2 write, 1 execute.
        public var flags: UInt32
        public var address: UInt64
        public var content: [UInt8]
        /// Bytes in memory; nil for as many as in the file.
        public var memorySize: UInt64?
        public var alignment: UInt64

        public init(
            type: UInt32 = 1, flags: UInt32, address: UInt64, content: [UInt8], memorySize: UInt64? = nil,
            alignment: UInt64 = 1
        ) {
            self.type = type
            self.flags = flags
            self.address = address
            self.content = content
            self.memorySize = memorySize
            self.alignment = alignment
        }
    }

    /// An entry of the symbol table.
    public struct Symbol: Sendable {
        public var name: String
        public var value: UInt64
        public var size: UInt64
        /// 0 none, 1 object, 2 function, 3 section, 4 file.
        public var type: UInt8
        /// 1 for one that is defined, 0 for one that is not.
        public var section: UInt16

        public init(_ name: String, _ value: UInt64, size: UInt64 = 0, type: UInt8 = 2, section: UInt16 = 1) {
            self.name = name
            self.value = value
            self.size = size
            self.type = type
            self.section = section
        }
    }

    /// 2 executable, 3 position-independent.
    public var type: UInt16 = 2
    public var machine: UInt16 = 62
    public var entry: UInt64
    public var segments: [Segment]
    public var symbols: [Symbol] = []

    public init(entry: UInt64, segments: [Segment]) {
        self.entry = entry
        self.segments = segments
    }

    public static let headerSize = 64
    public static let programHeaderSize = 56

    /// Where program header `index` lies in the file.
    public static func programHeader(_ index: Int) -> Int { headerSize + index * programHeaderSize }

    /// The file: header, program headers, segments on 8-byte boundaries, then symbols, strings and section headers.
    public func build() -> [UInt8] {
        var table: [UInt8] = []
        var content: [UInt8] = []
        let contentStart = Self.programHeader(segments.count)
        for segment in segments {
            content.pad(to: 8)
            table += programHeader(segment, offset: UInt64(contentStart + content.count))
            content += segment.content
        }
        content.pad(to: 8)
        let symbolStart = contentStart + content.count
        let (sections, sectionStart) = sectionPart(at: symbolStart)
        var header: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0] + [UInt8](repeating: 0, count: 8)
        header.append16(type, machine)
        header.append32(1)
        header.append64(entry, UInt64(Self.headerSize), UInt64(sectionStart))
        header.append32(0)
        header.append16(64, UInt16(Self.programHeaderSize), UInt16(truncatingIfNeeded: segments.count))
        header.append16(64, sectionStart == 0 ? 0 : 3, 0)
        return header + table + content + sections
    }

    private func programHeader(_ segment: Segment, offset: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        let size = UInt64(segment.content.count)
        bytes.append32(segment.type, segment.flags)
        bytes.append64(offset, segment.address, segment.address, size, segment.memorySize ?? size, segment.alignment)
        return bytes
    }

    /// Symbol table, its strings, and three section headers: none, SHT_SYMTAB, SHT_STRTAB.
    private func sectionPart(at start: Int) -> (bytes: [UInt8], headers: Int) {
        if symbols.isEmpty { return ([], 0) }
        var table = [UInt8](repeating: 0, count: 24)
        var strings: [UInt8] = [0]
        for symbol in symbols {
            table.append32(UInt32(strings.count))
            table += [symbol.type, 0]
            table.append16(symbol.section)
            table.append64(symbol.value, symbol.size)
            strings += Array(symbol.name.utf8) + [0]
        }
        let stringStart = start + table.count
        let stringCount = strings.count
        strings.pad(to: 8)
        var headers = [UInt8](repeating: 0, count: 64)
        headers.append32(0, 2)  // SHT_SYMTAB
        headers.append64(0, 0, UInt64(start), UInt64(table.count))
        headers.append32(2, 1)
        headers.append64(8, 24)
        headers.append32(0, 3)  // SHT_STRTAB
        headers.append64(0, 0, UInt64(stringStart), UInt64(stringCount))
        headers.append32(0, 0)
        headers.append64(1, 0)
        return (table + strings + headers, stringStart + strings.count)
    }
}

extension [UInt8] {
    public mutating func append16(_ values: UInt16...) { for value in values { append(value, 2) } }
    public mutating func append32(_ values: UInt32...) { for value in values { append(value, 4) } }
    public mutating func append64(_ values: UInt64...) { for value in values { append(value, 8) } }

    private mutating func append(_ value: some FixedWidthInteger, _ size: Int) {
        for index in 0..<size { append(UInt8(truncatingIfNeeded: value >> (8 * index))) }
    }

    /// Zeros up to a multiple of `alignment`.
    public mutating func pad(to alignment: Int) {
        while !count.isMultiple(of: alignment) { append(0) }
    }

    /// Overwrites a little-endian number in the middle of a file.
    public mutating func patch(_ offset: Int, _ value: some FixedWidthInteger) {
        for index in 0..<value.bitWidth / 8 { self[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * index)) }
    }
}
