// A post that is being written, kept in memory so that a lock does not lose it. Not here: drafts and posts
// that wait, which lie sealed in the core's outbox.

package jp.renraku.app.model

import jp.renraku.core.AttachmentFile
import jp.renraku.core.BodySite
import jp.renraku.core.MediaKind
import jp.renraku.core.PatientId
import jp.renraku.core.PhotoMark
import jp.renraku.core.PostDraft
import jp.renraku.core.PostId
import java.io.File
import java.util.UUID

/**
 * A picture or film in the scratch folder, in the clear. A picture is kept sealed as it was taken, with its marks; they
 * are covered when it is made, before anything of it leaves.
 */
data class Shot(
    val file: File,
    val isVideo: Boolean,
    val marks: List<PhotoMark> = emptyList(),
    /** Keeps what is heard in a film. */
    val sound: Boolean = true,
)

data class Sketch(
    val patientId: PatientId,
    val body: String = "",
    val urgent: Boolean = false,
    val site: BodySite? = null,
    val shots: List<Shot> = emptyList(),
    /** The post's id: tapped twice, it is kept once. */
    val id: PostId = UUID.randomUUID().toString(),
) {
    val isEmpty: Boolean get() = body.isEmpty() && shots.isEmpty()

    /** Its files are gone: a lock came while it was kept, and it was. */
    val isKept: Boolean get() = shots.isNotEmpty() && shots.none { it.file.exists() }

    /** Characters as people count them. */
    val count: Int get() = body.codePointCount(0, body.length)

    fun draft(kept: Boolean): PostDraft = PostDraft(
        patientId = patientId,
        body = body,
        urgent = urgent,
        bodySite = site,
        attachments = shots.map {
            if (it.isVideo) {
                AttachmentFile(MediaKind.VIDEO, it.file.path, "", sound = it.sound, handOver = true)
            } else {
                AttachmentFile(MediaKind.PHOTO, it.file.path, "", marks = it.marks, handOver = true)
            }
        },
        keepAsDraft = kept,
        id = id,
    )

    /** The same with other areas marked on one picture. */
    fun mark(file: File, marks: List<PhotoMark>): Sketch =
        copy(shots = shots.map { if (it.file == file && !it.isVideo) it.copy(marks = marks) else it })

    /** The same with what is heard in one film, or without it. */
    fun keepSound(file: File, on: Boolean): Sketch =
        copy(shots = shots.map { if (it.file == file) it.copy(sound = on) else it })

    fun discard() {
        shots.forEach { it.file.delete() }
    }
}
