// What a machine of the catalogue is, whatever wrote it down: what is shown of it, how it is run, when it starts by itself.
//
// Every machine is run by `swiftlet run` in a process of its own, so most of it is that program's options.
// Read next: ../Catalogue/TOMLValue.swift.

/// A machine that can be started.
public struct MachineDefinition: Equatable, Sendable {
    /// The name of its file without ".toml": what commands call it.
    public var id: String
    public var name: String
    public var vendor = ""
    public var description = ""
    /// A path that is right from our working folder, as all in `options` are.
    public var image: String
    public var arguments: [String] = []
    /// Options of `swiftlet run`, before the image.
    public var options: [String] = []
    /// Bytes.
    public var memory: UInt64
    public var cpus = 1
    public var identity: String?
    /// Keys go to the guest one by one and without echo.
    public var hasRawConsole = false
    public var restart = RestartPolicy()
    /// Nanoseconds from the host's start to the machine's; nil: only when somebody starts it.
    public var autostart: UInt64?
    /// Its exits are counted, which costs each a little.
    public var isCounted = false

    public init(id: String, image: String, memory: UInt64) {
        (self.id, self.name, self.image, self.memory) = (id, id, image, memory)
    }

    /// Behind `swiftlet`. Descriptor 3 takes the statistics.
    var command: [String] {
        ["run"] + options + (isCounted ? ["--stats=json:fd:3"] : []) + ["--", image] + arguments
    }
}

/// What happens when a machine ends that nobody has stopped.
public struct RestartPolicy: Equatable, Sendable {
    public enum When: String, CaseIterable, Sendable {
        case never, always
        /// It ended with another status than 0, crashed, or was killed.
        case onFailure = "on-failure"
    }
    public var when = When.never
    /// Restarts in a row, without a run of a minute between them.
    public var limit = 5
    /// Nanoseconds between an end and the next start.
    public var delay: UInt64 = 1_000_000_000

    public init() {}
}

/// An entry of the catalogue: a machine, or why it is none.
public struct CatalogueEntry: Equatable, Sendable {
    public let id: String
    public let content: Result<MachineDefinition, CatalogueProblem>

    var definition: MachineDefinition? { try? content.get() }
    var problem: String? { if case .failure(let problem) = content { problem.words } else { nil } }

    public init(_ definition: MachineDefinition) { (id, content) = (definition.id, .success(definition)) }
    public init(id: String, problem: String) { (self.id, content) = (id, .failure(CatalogueProblem(words: problem))) }
}

/// Why an entry is no machine: one line that names file and key, and says what was expected.
public struct CatalogueProblem: Error, Equatable, Sendable {
    public let words: String
    public init(words: String) { self.words = words }
}
