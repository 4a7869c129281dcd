// A post that is being written, in memory. Not here: keeping it, which is in Writing; drafts and posts that wait, which
// lie sealed in the core's outbox.

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
    /** The post's id: tapped twice, it is kept once, and its draft gives place to it. */
    val id: PostId = UUID.randomUUID().toString(),
    /** As its draft in the outbox has it; none where there is no draft of it. */
    val kept: Sketch? = null,
) {
    val isEmpty: Boolean get() = body.isBlank() && shots.isEmpty()

    /** All of it lies sealed in the outbox, or there is nothing to keep. */
    val isSafe: Boolean get() = if (isEmpty) kept == null else kept == copy(kept = null)

    /** Characters as people count them. */
    val count: Int get() = body.codePointCount(0, body.length)

    /** Its files are handed over, or for each of them the one that [file] names. */
    fun draft(asDraft: Boolean, file: (Shot) -> File = { it.file }): PostDraft = PostDraft(
        patientId = patientId,
        body = body,
        urgent = urgent,
        bodySite = site,
        attachments = shots.map {
            if (it.isVideo) {
                AttachmentFile(MediaKind.VIDEO, file(it).path, "", sound = it.sound, handOver = true)
            } else {
                AttachmentFile(MediaKind.PHOTO, file(it).path, "", marks = it.marks, handOver = true)
            }
        },
        keepAsDraft = asDraft,
        id = id,
    )

    /** The same with other areas marked on one picture. */
    fun mark(file: File, marks: List<PhotoMark>): Sketch =
        copy(shots = shots.map { if (it.file == file && !it.isVideo) it.copy(marks = marks) else it })

    /** The same with what is heard in one film, or without it. */
    fun keepSound(file: File, on: Boolean): Sketch =
        copy(shots = shots.map { if (it.file == file) it.copy(sound = on) else it })

    fun without(file: File): Sketch = copy(shots = shots.filter { it.file != file })

    fun discard() {
        shots.forEach { it.file.delete() }
    }
}
