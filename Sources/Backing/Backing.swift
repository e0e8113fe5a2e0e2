// What guest memory can be made of: the choices of `--backing`.
//
// The default is anonymous memory and is all GuestMemory's own; this module is what an ordinary start does not execute.
// Read next: MemoryStore.swift.

/// A kind of memory.
public enum Backing: Equatable, Sendable {
    /// Anonymous: small pages in the first 2 MiB, which a small guest touches sparsely, huge ones beyond.
    case anonymous
    /// Anonymous, and huge pages everywhere.
    case transparentHuge
    /// A shared file without a name, which another process can be given.
    case memfd
    /// Huge pages of 2 MiB that the administrator has set aside.
    case hugetlb
    /// A shared mapping of a file of the user's.
    case file(String)

    public static let usage = "anon, thp, memfd, hugetlb or file:PATH"

    /// As `--backing` names it; nil for anything else.
    public init?(_ text: String) {
        switch text {
        case "anon": self = .anonymous
        case "thp": self = .transparentHuge
        case "memfd": self = .memfd
        case "hugetlb": self = .hugetlb
        default:
            guard text.hasPrefix("file:"), text.utf8.count > 5 else { return nil }
            self = .file(String(text.dropFirst(5)))
        }
    }

    /// The name without a path.
    public var name: String {
        switch self {
        case .anonymous: "anon"
        case .transparentHuge: "thp"
        case .memfd: "memfd"
        case .hugetlb: "hugetlb"
        case .file: "file"
        }
    }

    /// The path of `file`.
    public var path: String? { if case .file(let path) = self { path } else { nil } }
}

/// 2 MiB: the huge page of x86-64, and what memory grows by at least.
public let hugePageSize: UInt64 = 2 << 20
