package jp.renraku.core.test

import java.io.File
import jp.renraku.core.AttachmentFile
import jp.renraku.core.MediaKind
import jp.renraku.core.PostDraft
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking

/** A phone's process that says how far its film's upload is, and ends only by being killed. */
object Victim {
    @JvmStatic
    fun main(arguments: Array<String>) = runBlocking {
        val (port, folder, body) = arguments
        val stage = Stage(port.toInt())
        val town = stage.ask("town")
        val device = open(File(folder), town)
        device.enrol(stage, town)
        val session = device.firstSignIn(stage)
        val film = AttachmentFile(MediaKind.VIDEO, town.getValue("film"), "歩く様子")
        session.outbox().compose(PostDraft(town.getValue("patient"), body, false, null, listOf(film), false))
        session.outbox().prepare()
        println("kept ${stage.ask("sent").getValue("bytes")}")
        stage.ask("stall 400000")
        launch { session.outbox().flush(true) }
        var seen = 0uL
        while (true) {
            seen = session.outbox().changed(seen, 1_000u)
            val file = session.outbox().items().single().media.single()
            println("uploaded ${file.uploaded} ${file.length}")
        }
    }
}
