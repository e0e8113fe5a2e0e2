// The catalogue: folders of machine definitions, one TOML file each. A file that is wrong is an entry that says so.
//
// Read next: DefinitionReader.swift.

import Host
import Hosting
import TOMLKit

public struct Catalogue {
    public let entries: [CatalogueEntry]

    static let longestFile: UInt64 = 64 << 10
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
        do {
            return CatalogueEntry(try reader.read(try TOMLTable(string: try text(path))))
        } catch let error as TOMLParseError {
            return bad(syntaxWords(error), at: ":\(error.source.begin.line):\(error.source.begin.column)")
        } catch let error as FieldError {
            return bad(error.words)
        } catch let error as HostError {
            return bad(errnoText(error.errno))
        } catch {
            return bad("\(error)")
        }
    }

    private static func text(_ path: String) throws -> String {
        let bytes = try File.regular(path).read(at: 0, Int(longestFile) + 1)
        if bytes.count > longestFile { throw FieldError("the file", "at most \(longestFile >> 10) KiB are expected") }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw FieldError("the file", "UTF-8 is expected")
        }
        if text.utf8.contains(0) { throw FieldError("the file", "text without NUL is expected") }
        return text
    }

    /// The library's words, on one line.
    private static func syntaxWords(_ error: TOMLParseError) -> String {
        printable(error.description.replacing("\n", with: "\\n"))
    }
}

/// Why there is no catalogue at all.
public struct CatalogueError: Error {
    public let message: String
    init(_ message: String) { self.message = message }
}
