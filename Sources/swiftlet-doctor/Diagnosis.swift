// The judgement: problems with what to do about each, and the verdict. A pure function of what was found.
//
// Read next: Advice.swift (the rules), DiagnosisText.swift.

struct Diagnosis: Encodable, Equatable, Sendable {
    var canRun: Bool
    /// One line.
    var verdict: String
    /// The most serious first.
    var problems: [Problem]
    var host: Examination

    init(_ host: Examination) {
        self.host = host
        problems = host.problems.sorted { $0.severity < $1.severity }
        canRun = !problems.contains { $0.severity == .blocking }
        verdict = canRun ? host.praise : "this host cannot run guests: \(problems.first?.what ?? "")"
    }
}

/// Something that is not as it could be.
struct Problem: Encodable, Equatable, Sendable {
    enum Severity: String, Encodable, Comparable, Sendable {
        /// No guest runs.
        case blocking
        /// Guests run, some worse than they could.
        case limiting
        /// Good to know when reading numbers.
        case note

        static func < (a: Severity, b: Severity) -> Bool { a.rank < b.rank }

        private var rank: Int {
            switch self {
            case .blocking: 0
            case .limiting: 1
            case .note: 2
            }
        }
    }

    var severity: Severity
    var what: String
    /// In the imperative.
    var fix: String
}

extension Examination {
    /// "this host can run guests: SVM with nested paging, an exit costs 1.2 us"
    fileprivate var praise: String {
        var parts = [virtualization.words]
        if let exit = measurements?.exitFromRing3 { parts.append("an exit costs \(duration(exit.median))") }
        if measurements?.ring0?.isEmulated == true { parts.append("kernels that need ring 0 are emulated") }
        return "this host can run guests: " + parts.joined(separator: ", ")
    }
}

extension Virtualization {
    /// "SVM with nested paging"
    var words: String {
        switch kind {
        case .vtx, .svm:
            kind.rawValue + (hasNestedPaging.map { $0 ? " with nested paging" : " with shadow paging" } ?? "")
        case .software: "a software KVM (\(module))"
        case .unknown, .none: "a KVM of unknown kind"
        }
    }
}

/// Nanoseconds in a unit that reads well, three digits: "29.4 us".
func duration(_ nanoseconds: Double) -> String {
    switch nanoseconds {
    case ..<1000: "\(rounded(nanoseconds)) ns"
    case ..<1_000_000: "\(rounded(nanoseconds / 1000)) us"
    default: "\(rounded(nanoseconds / 1_000_000)) ms"
    }
}

private func rounded(_ value: Double) -> String {
    if value >= 100 { return "\(Int(value.rounded()))" }
    let scale = value >= 10 ? 10.0 : 100.0
    return "\((value * scale).rounded() / scale)"
}
