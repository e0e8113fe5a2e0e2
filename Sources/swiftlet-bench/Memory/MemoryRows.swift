// The rows of `swiftlet bench memory`, in the order of the table.
//
// Each repeat of each row has a machine and memory of its own, and gives both back. Read next: Attempts.swift.

func memoryExperiments(_ equipment: Equipment) -> [any Experiment] {
    let images = equipment.images
    return slotExperiments(equipment) + mapExperiments(equipment) + touchExperiments(equipment)
        + dirtyLogExperiments(images) + dirtyRingExperiments(images) + commitExperiments(images)
        + tlbExperiments(images)
        + bandwidthExperiments(images)
}
