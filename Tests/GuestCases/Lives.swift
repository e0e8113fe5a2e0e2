// What the lives of a clone of guests/remap do, one after the other, and how each must end.
//
// Every life checks first that it finds everything as it was saved; so each is a test of all that came before it.
// Read next: guests/remap/main.c, Tests/SnapshotTests/PoolTests.swift, Sources/swiftlet-check/CloneLives.swift.

/// One life of a clone.
public struct Life: Sendable {
    /// The guest's input: what it is to spoil, a letter each.
    public let spoils: String
    /// Its exit status.
    public let status: Int32

    init(_ spoils: String, _ status: Int32 = 0) {
        self.spoils = spoils
        self.status = status
    }

    /// Twice each, so that what the second life of a kind leaves is looked at too.
    public static let all = [
        Life(""), Life("v"), Life("m"), Life("n"), Life("p"), Life("r"), Life("l"), Life("f"), Life("a"), Life("g"),
        Life("h"), Life("t"), Life("e", 7), Life("z", 126), Life("o", 126), Life("d", 126), Life("mfvt"),
        Life("mfvhz", 126), Life("rg"), Life("nl"), Life("ga"), Life("vl"), Life(""),
    ].flatMap { [$0, $0] }
}
