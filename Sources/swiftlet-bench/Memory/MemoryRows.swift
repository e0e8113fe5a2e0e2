// The rows of `swiftlet bench memory`, in the order of the table.
//
// Each repeat of each row has a machine and memory of its own, and gives both back. Read next: Series.swift.

func memoryExperiments(_ equipment: Equipment) -> [any Experiment] {
    let images = equipment.images
    let snapshots = SnapshotFiles(equipment.workshop)
    return slotExperiments(equipment) + mapExperiments(equipment) + touchExperiments(equipment)
        + backingTouchExperiments(equipment, snapshots) + dirtyLogExperiments(images) + dirtyRingExperiments(images)
        + putBackExperiments(images) + resetExperiments(equipment, snapshots)
        + cloneExperiments(equipment, snapshots)
        + commitExperiments(images)
        + tlbExperiments(images)
        + bandwidthExperiments(images)
}
