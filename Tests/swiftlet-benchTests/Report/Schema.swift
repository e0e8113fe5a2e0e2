// JSON Schema, as much of it as docs/bench-schema.json uses. An unknown keyword is an error: nothing is passed over.
//
// Stricter than the schema, which readers of later reports must be able to use: what it does not list is a fault here.
// Read next: ReportTests.swift.

import Foundation

struct Schema {
    private let root: [String: Any]

    init(_ data: Data) throws {
        root = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
    }

    /// What is wrong, each with its place; empty when nothing is.
    func faults(_ json: String) throws -> [String] {
        faults(try JSONSerialization.jsonObject(with: Data(json.utf8)), root, "")
    }

    private func faults(_ value: Any, _ schema: [String: Any], _ place: String) -> [String] {
        var list: [String] = []
        func demand(_ condition: Bool, _ words: String) { if !condition { list.append("\(place): \(words)") } }
        let object = value as? [String: Any]
        let number = isBoolean(value) ? nil : value as? Double
        for (keyword, rule) in schema {
            switch (keyword, rule) {
            case ("$schema", _), ("$id", _), ("title", _), ("description", _), ("$defs", _): break
            case ("$ref", let name as String):
                let definitions = root["$defs"] as? [String: Any] ?? [:]
                let target = definitions[String(name.dropFirst("#/$defs/".count))] as? [String: Any]
                demand(target != nil, "no \(name)")
                list += faults(value, target ?? [:], place)
            case ("type", let type as String): demand(has(value, type), "is no \(type)")
            case ("const", _): demand("\(value)" == "\(rule)", "is not \(rule)")
            case ("enum", let choices as [String]):
                demand(choices.contains(value as? String ?? "?"), "is none of \(choices)")
            case ("pattern", let pattern as String):
                demand(
                    (value as? String)?.range(of: pattern, options: .regularExpression) != nil,
                    "does not match \(pattern)")
            case ("minimum", let least as Double): demand(number ?? least >= least, "is below \(least)")
            case ("exclusiveMinimum", let least as Double): demand(number ?? least + 1 > least, "is not above \(least)")
            case ("minItems", let least as Int): demand((value as? [Any])?.count ?? least >= least, "has too few items")
            case ("items", let item as [String: Any]):
                for (index, element) in (value as? [Any] ?? []).enumerated() {
                    list += faults(element, item, "\(place)[\(index)]")
                }
            case ("required", let names as [String]):
                for name in names { demand(object?[name] != nil, "has no \(name)") }
            case ("properties", let properties as [String: Any]):
                for (name, element) in object ?? [:] {
                    if let rule = properties[name] as? [String: Any] {
                        list += faults(element, rule, "\(place).\(name)")
                    } else {
                        list.append("\(place): \(name) is unknown")
                    }
                }
            case ("additionalProperties", let rule as [String: Any]):
                for (name, element) in object ?? [:] { list += faults(element, rule, "\(place).\(name)") }
            default: list.append("\(place): the schema's \(keyword) is not understood")
            }
        }
        return list
    }

    private func has(_ value: Any, _ type: String) -> Bool {
        switch type {
        case "object": value is [String: Any]
        case "array": value is [Any]
        case "string": value is String
        case "boolean": isBoolean(value)
        case "number": !isBoolean(value) && value is Double
        case "integer": !isBoolean(value) && (value as? Double).map { $0 == $0.rounded() } == true
        default: false
        }
    }

    /// A JSON number casts to Bool, and a Boolean to Double.
    private func isBoolean(_ value: Any) -> Bool {
        guard let number = value as? NSNumber else { return false }
        return String(cString: number.objCType) == "c"
    }
}
