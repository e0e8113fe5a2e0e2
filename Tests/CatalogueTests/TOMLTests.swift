// The reader of TOML: what it takes, and that each error says where it is.
//
// Read next: DefinitionTests.swift.

import Testing

@testable import Catalogue

/// A value as text, to compare.
private func words(_ value: TOMLValue?) -> String {
    switch value?.content {
    case nil: "none"
    case .string(let text): "'\(text)'"
    case .integer(let number): "\(number)"
    case .decimal(let number): "\(number)"
    case .flag(let flag): "\(flag)"
    case .array(let values): "[" + values.map { words($0) }.joined(separator: " ") + "]"
    case .table(let table): "{" + table.entries.map { "\($0.key)=\(words($0.value))" }.joined(separator: " ") + "}"
    }
}

@Suite struct TOMLTests {
    @Test(arguments: [
        (#"k = "text""#, "'text'"), ("k = 'C:\\x'", "'C:\\x'"), (#"k = "a\tb\u00e9\"\\""#, "'a\tb\u{e9}\"\\'"),
        ("k = \"\"\"\nfirst\nsecond\"\"\"", "'first\nsecond'"), ("k = \"\"\"a \\\n   b\"\"\"", "'a b'"),
        ("k = '''\na'b'''", "'a'b'"), ("k = 7", "7"), ("k = -1_000", "-1000"), ("k = 0.5", "0.5"),
        ("k = true # comment", "true"), ("k = []", "[]"), ("k = [ 1,\n 2, # two\n]", "[1 2]"),
        ("k = [[1], ['a']]", "[[1] ['a']]"), ("k = { a = 1, b = { c = 'd' } }", "{a=1 b={c='d'}}"),
        ("k = {}", "{}"), ("\r\n# c\r\nk = 1\r\n", "1"),
    ])
    func valuesAreRead(text: String, expected: String) throws {
        #expect(words(try TOMLReader.read(text)["k"]) == expected)
    }

    @Test func headersMakeTables() throws {
        let table = try TOMLReader.read("a = 1\n[t]\nb = 2\n[[list]]\nc = 3\n\n[[list]] # again\nc = 4\n")
        #expect(table.entries.map { "\($0.key)=\(words($0.value))" } == ["a=1", "t={b=2}", "list=[{c=3} {c=4}]"])
    }

    @Test(arguments: [
        ("k", 1, "'=' behind the key 'k' is expected, and the file ends"), ("k = ", 4, "a value"),
        ("k = \"a", 6, "the end of the string"), ("k = \"a\nb\"", 6, "the end of the string"),
        ("k = 1 2", 6, "the end of the line is expected, and there is '2'"),
        ("k = 1\nk = 2", 6, "'k' is there already"),
        ("k = [1 2]", 7, "',' or ']'"), ("k = {a = 1", 10, "',' or '}'"), ("[t", 2, "']'"), ("[[t]", 3, "']]'"),
        ("k = \"\\x\"", 6, "an escape"), ("k = \"\\ud800\"", 7, "a character's number"), ("k = 1__0", 4, "a value"),
        ("k = 1.2.3", 4, "a value"), ("k = 1979-05-27", 4, "a value"), ("k = nan", 4, "a value"),
        ("k.l = 1", 1, "'='"), ("= 1", 0, "a key"), ("[k]\n[[k]]", 4, "already"),
        ("k = [[[[[[[[[[1]]]]]]]]]]", 13, "deep"), ("k = \"\u{1}\"", 5, "control characters"),
    ])
    func errorsSayWhere(text: String, offset: Int, expected: String) throws {
        let error = try #require(throws: TOMLError.self) { try TOMLReader.read(text) }
        #expect(error.offset == offset)
        #expect(error.words.contains(expected), "\(error.words)")
    }
}
