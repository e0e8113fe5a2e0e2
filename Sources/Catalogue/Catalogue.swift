// The catalogue: folders of definitions, NAME.toml of a machine and NAME.bridge of a bridge. A file that is wrong is an entry
// that says so.
//
// Read next: DefinitionFile.swift.

import Host
import Hosting

public struct Catalogue {
    public private(set) var entries: [CatalogueEntry] = []
    public private(set) var bridges: [BridgeDefinition] = []

    static let mostFiles = 256

    /// Of all folders, sorted by name in each. `runOptions`: what `swiftlet run --help` says, for options that not every
    /// build has.
    public init(folders: [String], runOptions: String) throws(CatalogueError) {
        for folder in folders {
            do throws(HostError) { _ = try File(folder + "/", .read) } catch {
                throw CatalogueError("\(folder): \(errnoText(error.errno)): --catalogue needs a folder")
            }
            // A folder's name is no pattern.
            let files = names(in: folder).filter { !$0.hasPrefix(".") }.sorted()
            for file in files where file.hasSuffix(".toml") { addMachine(file, folder, runOptions) }
            for file in files where file.hasSuffix(".bridge") { addBridge(file, folder) }
        }
        let count = entries.count + bridges.count
        if count > Self.mostFiles {
            throw CatalogueError("\(count) definitions: a catalogue has at most \(Self.mostFiles)")
        }
    }

    /// Of a server that has none: why, as the only entry.
    public init(problem: CatalogueError) {
        entries = [CatalogueEntry(id: "catalogue", problem: problem.message)]
    }

    private mutating func addMachine(_ name: String, _ folder: String, _ runOptions: String) {
        let file = DefinitionFile(path: "\(folder)/\(name)")
        let id = String(name.dropLast(5))
        let isThere = entries.contains { $0.id == id }
        do throws(CatalogueError) {
            guard isMachineID(id) else {
                throw file.wrong("a machine's file is called by 1 to 32 letters, digits, -, _ and ., and ends in .toml")
            }
            if isThere { throw file.wrong("another folder has a machine of this name") }
            let reader = DefinitionReader(id: id, folder: folder, runOptions: runOptions)
            entries.append(CatalogueEntry(try file.read(reader.read)))
        } catch { entries.append(CatalogueEntry(id: id, problem: error.message)) }
    }

    private mutating func addBridge(_ name: String, _ folder: String) {
        do throws(CatalogueError) {
            bridges.append(try BridgeDefinition(String(name.dropLast(7)), DefinitionFile(path: "\(folder)/\(name)")))
        } catch { entries.append(CatalogueEntry(id: name, problem: error.message)) }
    }
}

/// Why there is no catalogue at all, or what is wrong with one of its files.
public struct CatalogueError: Error {
    public let message: String
    init(_ message: String) { self.message = message }
}
