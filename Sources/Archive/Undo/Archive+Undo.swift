import Foundation
import GRDB
public import MailModel
import Matcher

extension Archive {
    /// As `write`, for what a person may take back: the rows that it changes are noted with the action, in the
    /// same transaction. Without a current action nothing is noted.
    ///
    /// - Parameters:
    ///   - right: with `scope`, what taking it back takes. It reaches what one has done oneself; the action of
    ///     somebody else takes all of the right.
    ///   - body: gets the recording, to leave marks for the worker out of it.
    func writeReversibly<Value>(
        _ right: Right, _ scope: Scope = .own, _ body: (Database, ChangeRecording?) throws -> Value
    ) throws(MailFailure) -> Value {
        guard let act = Act.current else { return try write { db in try body(db, nil) } }
        return try write { db in
            let log = UndoLog(db)
            let known = try log.lastAddress()
            let recording = try ChangeRecording(db)
            let value = try body(db, recording)
            if let changes = try recording.end() {
                act.isTooLargeToUndo = changes.bytes.count > undoLimits.actionBytes
                let sight = try Sight(viewer, db)
                act.undo = try log.add(
                    changes, of: act, user: sight.rights?.user, right: right, scope: scope, known: known,
                    beyond: HiddenRows(of: changes, db, sight), at: now(), undoLimits)
            }
            return value
        }
    }

    /// The same, for what leaves no marks.
    func writeReversibly<Value>(
        _ right: Right, _ scope: Scope = .own, _ body: (Database) throws -> Value
    ) throws(MailFailure) -> Value {
        try writeReversibly(right, scope) { db, _ in try body(db) }
    }

    /// What was done and can be taken back, or was; the newest first. A user sees their own actions, and those of
    /// others when all of the right is theirs.
    public func undoLog(limit: Int = .max) throws(MailFailure) -> [UndoEntry] {
        let start = undoLimits.start(at: now())
        return try read { db, sight in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT \(UndoLog.entryColumns) FROM undo WHERE at >= ? AND \(Self.mayUndo(sight))
                    ORDER BY id DESC LIMIT ?
                    """, arguments: [start.rawValue, limit]
            ).map(UndoLog.entry)
        }
    }

    /// The last action of a person that was not taken back.
    ///
    /// - Throws: `unknown.undo` when there is none.
    public func lastUndo(of person: String) throws(MailFailure) -> UndoEntry {
        let start = undoLimits.start(at: now())
        let (last, final) = try read { db, sight in
            let last = try Row.fetchOne(
                db,
                sql: """
                    SELECT \(UndoLog.entryColumns) FROM undo
                    WHERE person = ? AND undone_at IS NULL AND at >= ? AND \(Self.mayUndo(sight))
                    ORDER BY id DESC LIMIT 1
                    """, arguments: [person, start.rawValue]
            ).map(UndoLog.entry)
            return (last, try last.flatMap { try Self.finalAct(of: person, after: $0, db) })
        }
        guard let last else { throw Self.unknownUndo(person) }
        if let final {
            throw MailFailure(
                .undoBlocked, kind: .permanent, "Your last action cannot be taken back", detail: final,
                remedy: "The one before can: mailworker undo \(last.id) (\(last.action)).")
        }
        return last
    }

    /// What a person did after an action for which there is no way back.
    private static func finalAct(of person: String, after entry: UndoEntry, _ db: Database) throws -> String?
    {
        try String.fetchOne(
            db,
            sql: """
                SELECT action FROM audit
                WHERE person = ?1 AND action IN ('contact erase', 'message private', 'queue private')
                    AND id > coalesce((SELECT max(id) FROM audit WHERE person = ?1 AND action = ?2 AND at = ?3), 0)
                    AND at >= ?3
                ORDER BY id DESC LIMIT 1
                """, arguments: [person, entry.action, entry.at.rawValue])
    }

    /// Takes an action back: every row is as it was before, or nothing has changed. Mail that came later and was
    /// filed by what the action had made goes where it would have gone without it; what else came later stays.
    ///
    /// - Throws: `unknown.undo`, `rights.missing`; `undo.blocked` when a later change is in the way, which is named.
    @discardableResult
    public func undo(_ id: UndoID, by person: String) throws(MailFailure) -> UndoEntry {
        let time = now()
        return try write { db in
            let sight = try Sight(viewer, db)
            guard
                let row = try Row.fetchOne(
                    db,
                    sql: """
                        SELECT \(UndoLog.entryColumns), user, right_name, scope, made_addresses, beyond FROM undo
                        WHERE id = ? AND at >= ? AND \(Self.mayUndo(sight))
                        """, arguments: [id.rawValue, undoLimits.start(at: time).rawValue])
            else { throw Self.unknownUndo(id.description) }
            let entry = UndoLog.entry(row)
            guard entry.undoneAt == nil else {
                throw MailFailure(
                    .undoBlocked, kind: .permanent, "The action was taken back already",
                    detail: "undo \(id), by \(entry.undoneBy ?? "-")", remedy: "See: mailworker undo list")
            }
            if let right = Right(rawValue: row["right_name"]), let scope = Scope(rawValue: row["scope"]) {
                try sight.demand(right, scope)
            }
            let addresses = try JSONDecoder().decode(
                [Int64].self, from: Data((row["made_addresses"] as String).utf8))
            Act.concerns("undo \(id)")
            let undoing = Undoing(db, entry: entry, time: time)
            if let changes = try UndoLog(db).changeset(of: id) {
                var later = try LaterMail(than: changes, db, after: entry.at)
                try later.release()
                let isOwn = (row["user"] as Int64?) == sight.rights?.user.rawValue
                try undoing.run(
                    changes, madeAddresses: Set(addresses),
                    beyond: isOwn ? HiddenRows(json: row["beyond"]) : nil,
                    sight)
                if entry.action == AutomaticLeads.action {
                    try AutomaticLeads.decline(changes, db, at: time)
                }
                try later.settle(ContactWriter(db, sight, time: time, policy: matching))
            }
            try db.execute(
                sql: "UPDATE undo SET changes = NULL, undone_at = ?, undone_by = ? WHERE id = ?",
                arguments: [time.rawValue, person, id.rawValue])
            return UndoLog.entry(
                try Row.fetchOne(
                    db, sql: "SELECT \(UndoLog.entryColumns) FROM undo WHERE id = ?",
                    arguments: [id.rawValue])
                    ?? row)
        }
    }

    /// Deletes what is too old to be taken back. New actions do so too, but there may be none.
    public func forgetOldActions() throws(MailFailure) {
        let time = now()
        let start = undoLimits.start(at: time)
        let isAny = try read { db in
            try Bool.fetchOne(
                db, sql: "SELECT EXISTS (SELECT 1 FROM undo WHERE at < ?)", arguments: [start.rawValue])
        }
        guard isAny == true else { return }
        try write { db in try UndoLog(db).removeOld(at: time, undoLimits) }
    }

    private static func mayUndo(_ sight: Sight) -> String {
        guard let rights = sight.rights else { return "1" }
        let all = Right.allCases.filter { sight.has($0, .all) }.map { "'\($0.rawValue)'" }
        return "(user IS \(rights.user.rawValue) OR right_name IN (\(all.joined(separator: ", "))))"
    }

    private static func unknownUndo(_ name: String) -> MailFailure {
        .unknown(
            .unknownUndo, "action to take back", name,
            remedy: "See those that can be taken back with: mailworker undo list")
    }
}
