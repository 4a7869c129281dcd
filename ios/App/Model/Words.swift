// What screens say: sentences for errors, names of professions, places and states. Pure, any thread.
// Not here: the sentences of the problem codes, which are the core's.

import Foundation
import RenrakuCore

enum Words {
    /// What to do about an error, or none when the person cancelled it.
    static func sentence(_ error: Error) -> String? {
        guard let error = error as? MobileError else { return unexpected(nil) }
        switch error {
        case .Offline(let code):
            return code.map { problemSentence(code: $0) }
                ?? "通信できません。電波の届く場所で、もう一度お試しください。"
        case .NotFound:
            return problemSentence(code: "not_found")
        case .SignedOut(let code), .Conflict(let code), .Media(let code), .Certificate(let code):
            return problemSentence(code: code)
        case .Invalid(let code, let field):
            return refused(code, field)
        case .Cancelled:
            return nil
        case .Storage(let trouble):
            return sentence(trouble)
        case .Unexpected(let reference):
            return unexpected(reference)
        }
    }

    static let noCamera = "カメラを使えません。「設定」アプリの「連絡」で、カメラを許可してください。"
    static let notSaved = "写真・動画を保存できませんでした。空き容量を確かめて、もう一度撮影してください。"

    static func sentence(_ diagnosis: Diagnosis) -> String {
        switch diagnosis {
        case .ready: return "接続できます。サインインしてください。"
        case .notEnrolled: return problemSentence(code: "certificate_missing")
        case .offline: return "通信できません。端末のネットワークを確認してください。"
        case .refused(let code): return problemSentence(code: code)
        }
    }

    private static func sentence(_ trouble: StorageTrouble) -> String {
        storageSentence(trouble: trouble)
    }

    private static func unexpected(_ reference: String?) -> String {
        let sentence = "問題が起きました。しばらくして、もう一度お試しください。"
        return reference.map { "\(sentence)続くときは、番号 \($0) を事務局にお伝えください。" } ?? sentence
    }

    static func state(_ state: ItemState) -> String {
        switch state {
        case .draft: return "下書き"
        case .waiting: return "送信待ち"
        case .sending: return "送信中"
        case .sent: return "送信済"
        case .failed(let code, let field): return "失敗：\(refused(code, field))"
        }
    }

    /// Why something was refused, and what to do about the field at fault where it is one of a post's.
    private static func refused(_ code: String, _ field: String?) -> String {
        switch field {
        case "urgent": return "この自治体では「緊急（重要）」を付けられません。「直す」で外してから送信してください。"
        case "body": return "本文が空か、長すぎるか、使えない文字があります。直してから送信してください。"
        case "description": return "写真・動画の説明は、改行のない200字までの文にしてください。"
        case "acknowledged": return "この自治体では👍を付けられません。"
        default: return problemSentence(code: code)
        }
    }

    /// What a file of a post on its way is, and how far, where it is not being sent.
    static func file(_ media: ItemMedia) -> String {
        let what = media.kind == .video ? "動画" : "写真"
        switch media.state {
        case .planned: return "\(what)：準備中"
        case .made: return what
        case .failed(let code): return "\(what)：失敗：\(problemSentence(code: code))"
        }
    }

    /// Tells that a screen shows what was known then.
    static func stale(_ seenAt: Timestamp?) -> String {
        seenAt.map { "前回（\(time($0))）の内容を表示しています。" } ?? "前回の内容を表示しています。"
    }

    static func profession(_ profession: Profession) -> String {
        switch profession {
        case .physician: return "医師"
        case .dentist: return "歯科医師"
        case .pharmacist: return "薬剤師"
        case .nurse: return "看護師"
        case .publicHealthNurse: return "保健師"
        case .careManager: return "ケアマネジャー"
        case .helper: return "介護職"
        case .therapist: return "療法士"
        case .dietitian: return "管理栄養士"
        case .socialWorker: return "相談員"
        case .clerk: return "事務職"
        case .other: return "その他"
        }
    }

    static func gender(_ gender: Gender) -> String {
        switch gender {
        case .male: return "男"
        case .female: return "女"
        case .other: return "その他"
        case .unknown: return "不明"
        }
    }

    /// In the order of the choice on the compose screen.
    static let sites: [(site: BodySite, name: String)] = [
        (.head, "頭部"), (.face, "顔"), (.neck, "首"), (.chest, "胸部"), (.abdomen, "腹部"), (.back, "背部"),
        (.sacrum, "仙骨部"), (.buttock, "殿部"), (.leftArm, "左上肢"), (.rightArm, "右上肢"),
        (.leftHand, "左手"), (.rightHand, "右手"), (.leftHip, "左大転子部"), (.rightHip, "右大転子部"),
        (.leftLeg, "左下肢"), (.rightLeg, "右下肢"), (.leftHeel, "左踵"), (.rightHeel, "右踵"),
        (.leftFoot, "左足"), (.rightFoot, "右足"), (.other, "その他"),
    ]

    static func site(_ site: BodySite) -> String {
        sites.first { $0.site == site }?.name ?? "その他"
    }

    /// In the order of the choices over a photo.
    static let covers: [(value: MarkCover, name: String)] = [(.black, "黒塗り"), (.blur, "ぼかし")]
    static let outlines: [(value: MarkOutline, name: String)] = [(.rectangle, "四角"), (.ellipse, "丸")]

    static func covering(_ mark: PhotoMark) -> String {
        (covers.filter { $0.value == mark.cover }.map(\.name) + outlines.filter { $0.value == mark.outline }.map(\.name))
            .joined(separator: "・")
    }

    /// A day and time as the town's people write it, in the town's time zone.
    static func time(_ millis: Timestamp) -> String {
        formatter.string(from: Date(timeIntervalSince1970: Double(millis) / 1000))
    }

    private static let formatter: DateFormatter = {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "ja_JP")
        formatter.timeZone = TimeZone(identifier: "Asia/Tokyo")
        formatter.dateFormat = "M月d日(E) H:mm"
        return formatter
    }()
}
