// The catalogue: folders of machine definitions, one TOML file each. A file that is wrong is an entry that says so.
//
// Read next: DefinitionReader.swift.

import Host
import Hosting

public struct Catalogue {
    public let entries: [CatalogueEntry]

    static let longestFile = 64 << 10
    static let mostEntries = 256

    /// Of all folders, sorted by name in each. `runOptions`: what `swiftlet run --help` says, for options that not every
    /// build has.
    public init(folders: [String], runOptions: String) throws(CatalogueError) {
        var entries: [CatalogueEntry] = []
        for folder in folders {
            do throws(HostError) { _ = try File(folder + "/", .read) } catch {
                throw CatalogueError("\(folder): \(errnoText(error.errno)): --catalogue needs a folder")
            }
            // A folder's name is no pattern.
            for file in names(in: folder).filter({ $0.hasSuffix(".toml") && !$0.hasPrefix(".") }).sorted() {
                let id = String(file.dropLast(5))
                let reader = DefinitionReader(id: id, folder: folder, runOptions: runOptions)
                entries.append(Self.entry(reader, file, others: entries))
            }
        }
        self.entries = Array(entries.prefix(Self.mostEntries))
        if entries.count > Self.mostEntries {
            throw CatalogueError("\(entries.count) machines: a catalogue has at most \(Self.mostEntries)")
        }
    }

    private static func entry(_ reader: DefinitionReader, _ file: String, others: [CatalogueEntry]) -> CatalogueEntry {
        let path = "\(reader.folder)/\(file)"
        func bad(_ words: String, at place: String = "") -> CatalogueEntry {
            CatalogueEntry(id: reader.id, problem: "\(path)\(place): \(words)")
        }
        guard isMachineID(reader.id) else {
            return bad("a machine's file is called by 1 to 32 letters, digits, -, _ and ., and ends in .toml")
        }
        if others.contains(where: { $0.id == reader.id }) { return bad("another folder has a machine of this name") }
        let bytes: [UInt8]
        do throws(HostError) { bytes = try File.regular(path).read(at: 0, longestFile + 1) } catch {
            return bad(errnoText(error.errno))
        }
        if bytes.count > longestFile { return bad("a definition has at most \(longestFile >> 10) KiB") }
        guard let text = String(validating: bytes, as: UTF8.self) else { return bad("a definition is UTF-8") }
        do throws(TOMLError) { return CatalogueEntry(try reader.read(text)) } catch {
            return bad(error.words, at: Self.place(error.offset, bytes))
        }
    }

    /// ":LINE:COLUMN", from 1; a column is a character.
    private static func place(_ offset: Int, _ bytes: [UInt8]) -> String {
        let before = bytes.prefix(offset)
        let line = before.split(separator: 0x0a, omittingEmptySubsequences: false)
        return ":\(line.count):\(String(decoding: line.last ?? [], as: UTF8.self).unicodeScalars.count + 1)"
    }
}

/// Why there is no catalogue at all.
public struct CatalogueError: Error {
    public let message: String
    init(_ message: String) { self.message = message }
}
