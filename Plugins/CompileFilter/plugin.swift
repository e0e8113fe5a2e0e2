// The sandbox's filters are compiled before the module Sandbox is: rules.h becomes Filter.swift, in the build folder.
//
// Read next: Sources/filter-compiler/main.c.

import Foundation
import PackagePlugin

@main struct CompileFilter: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: Target) throws -> [Command] {
        let output = context.pluginWorkDirectoryURL.appending(path: "Filter.swift")
        return [
            .buildCommand(
                displayName: "Compiling the sandbox's filters", executable: try context.tool(named: "filter-compiler").url,
                arguments: ["swift", output.path], outputFiles: [output])
        ]
    }
}
