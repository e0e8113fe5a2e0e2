// `--json`: any Encodable value as text for scripts, and back.
//
// FoundationEssentials' encoder: the argument parser links it anyway. Read next: Printable.swift.

import FoundationEssentials

public enum JSON {
    /// Names in snake_case, sorted, so that two runs differ only in what differs. Ends with a newline.
    public static func text(_ value: some Encodable) throws(SubcommandError) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        do { return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n" } catch {
            throw SubcommandError("cannot write JSON: \(error)")
        }
    }

    /// What `text` wrote, read again; `name` is for the error.
    public static func value<T: Decodable>(_ type: T.Type, _ bytes: [UInt8], name: String) throws(SubcommandError) -> T
    {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do { return try decoder.decode(type, from: Data(bytes)) } catch {
            throw SubcommandError("\(name): not the JSON it should be: \(words(error))")
        }
    }

    /// Where in the text, and what is wrong there.
    private static func words(_ error: any Error) -> String {
        func place(_ context: DecodingError.Context) -> String {
            context.codingPath.isEmpty ? "" : context.codingPath.map(\.stringValue).joined(separator: ".") + ": "
        }
        guard let error = error as? DecodingError else { return "it is no JSON" }
        return switch error {
        case .keyNotFound(let key, let context): "\(place(context))no \"\(key.stringValue)\""
        case .valueNotFound(_, let context), .typeMismatch(_, let context):
            "\(place(context))another type than it should have"
        case .dataCorrupted(let context):
            context.codingPath.isEmpty ? "it is no JSON" : "\(place(context))no such value"
        default: "not what it should be"
        }
    }
}
