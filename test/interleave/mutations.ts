import type { Mutation } from './mutate.ts'

/** Orderings of the shipped code, each broken by hand. The checker must find every one of them. */
export const MUTATIONS: readonly Mutation[] = [
  // The ring.
  {
    name: 'the tail is published before the hand-off is marked',
    file: 'lane/writer.js',
    from: 'journal.set(this.#header + TAIL, this.#tail);',
    to: 'store(this.#memory.words, this.#header + TAIL, this.#tail);',
  },
  {
    name: 'the tail is published before the records are counted as sent',
    file: 'lane/writer.js',
    from: 'journal.set(this.#header + SENT, this.#sent);',
    to: 'journal.set(this.#header + TAIL, this.#tail); journal.set(this.#header + SENT, this.#sent);',
  },
  {
    name: 'a frame is written while its bytes are still to be read',
    file: 'lane/writer.js',
    from: 'if (atEnd >= bytes || free - atEnd < bytes)',
    to: 'if (atEnd >= bytes && free < bytes)',
  },
  {
    name: 'the room is not looked at',
    file: 'lane/writer.js',
    from: 'if (Math.min(free, atEnd) < bytes) {\n            // REUSE',
    to: 'if (atEnd < bytes) {\n            // REUSE',
  },
  {
    name: 'the head is read without an order',
    file: 'lane/writer.js',
    from: 'this.#headSeen = load(this.#memory.words, this.#header + HEAD);',
    to: 'this.#headSeen = this.#memory.words[this.#header + HEAD];',
  },
  {
    name: 'the tail is read without an order',
    file: 'lane/reader.js',
    from: 'this.#tailSeen = load(this.#memory.words, this.#header + TAIL);',
    to: 'this.#tailSeen = this.#memory.words[this.#header + TAIL];',
  },
  {
    name: 'a frame is read before the tail says that it is there',
    file: 'lane/reader.js',
    from: 'if (this.#next === this.#tailSeen)\n                    return NO_FRAME;',
    to: '',
  },
  {
    name: 'the head is given back before the hand-off is marked',
    file: 'lane/reader.js',
    from: 'journal.set(this.#header + HEAD, this.#released);',
    to: 'store(this.#memory.words, this.#header + HEAD, this.#released);',
  },
  // The table of texts.
  {
    name: 'a half of the table is written anew at once',
    file: 'lane/texts.js',
    from: 'if (!this.#isUnread(this.#leftAt))',
    to: 'if (false)',
  },
  {
    name: 'the head is read without an order before a half is written anew',
    file: 'lane/texts.js',
    from: 'load(this.#memory.words, this.#ring.headWord)',
    to: 'this.#memory.words[this.#ring.headWord]',
  },
  {
    name: 'a text is counted before it is whole',
    file: 'lane/texts.js',
    from: 'this.#memory.words[at] = length;',
    to: 'store(this.#memory.words, this.#used, this.#generation * TEXT_NUMBERS + end); this.#memory.words[at] = length;',
  },
  // Credit.
  {
    name: 'credit is granted before the records are counted as taken',
    file: 'lane/reader.js',
    from: 'journal.set(this.#header + TAKEN, this.#taken);',
    to: 'if (this.#isLow()) journal.set(this.#header + GRANTED, (this.#taken + this.#maxDemand) | 0); journal.set(this.#header + TAKEN, this.#taken);',
  },
  {
    name: 'credit is granted before the hand-off is marked',
    file: 'lane/reader.js',
    from: 'journal.set(this.#header + GRANTED, this.#granted);',
    to: 'store(this.#memory.words, this.#header + GRANTED, this.#granted);',
  },
  {
    name: 'more credit is granted than the lane may hold',
    file: 'lane/reader.js',
    from: 'this.#hasGranted = this.#isLow();\n        if (this.#hasGranted) {\n            this.#granted = (this.#taken + this.#maxDemand) | 0;',
    to: 'this.#hasGranted = this.#isLow();\n        if (this.#hasGranted) {\n            this.#granted = (this.#granted + this.#maxDemand) | 0;',
  },
  {
    name: 'credit is looked at once only',
    file: 'lane/writer.js',
    from: 'if (credit > 0)\n            return credit;',
    to: 'return credit;',
  },
  // Parking and waking.
  {
    name: 'a reader wakes for credit only',
    file: 'lane/reader.js',
    from: 'this.#hasGranted || wanting !== FOR_ROOM',
    to: 'true',
  },
  {
    name: 'a reader wakes for room only',
    file: 'lane/reader.js',
    from: 'return this.#hasGranted && wanting !== 0;',
    to: 'return false;',
  },
  {
    name: 'a writer says that it waits for credit whatever it waits for',
    file: 'lane/writer.js',
    from: 'this.credit() > 0 ? FOR_ROOM : FOR_CREDIT',
    to: 'FOR_CREDIT',
  },
  {
    name: 'a writer does not say that it waits',
    file: 'lane/writer.js',
    from: 'store(this.#memory.words, this.#header + WANTING, what);',
    to: '',
  },
  {
    name: 'parking is not announced',
    file: 'lane/doorbell.js',
    from: 'store(this.#words, this.#parked, timeoutMs > DOZE_MS ? SLEEPS : DOZES);',
    to: '',
  },
  {
    name: 'parking is announced when the last look is over',
    file: 'lane/doorbell.js',
    from: 'wait(this.#words, this.#bell, this.#seen, timeoutMs);',
    to: 'store(this.#words, this.#parked, 1); this.#seen = load(this.#words, this.#bell); wait(this.#words, this.#bell, this.#seen, timeoutMs);',
  },
  {
    name: 'the bell is read after the last look',
    file: 'lane/doorbell.js',
    from: 'wait(this.#words, this.#bell, this.#seen, timeoutMs);',
    to: 'wait(this.#words, this.#bell, load(this.#words, this.#bell), timeoutMs);',
  },
  {
    name: 'the bell does not count',
    file: 'lane/doorbell.js',
    from: 'add(words, offset / 4 + BELL, 1);',
    to: '',
  },
  {
    name: 'nobody is notified',
    file: 'lane/doorbell.js',
    from: 'notify(words, offset / 4 + BELL);',
    to: '',
  },
  // The journal.
  {
    name: 'the mark is set before the counters are written down',
    file: 'lane/journal.js',
    from: 'for (let i = 0; i < this.counters.length; i++)\n            floats[this.#image + i] = this.counters[i];',
    to: 'store(words, this.#mark, this.#count + 1); for (let i = 0; i < this.counters.length; i++) floats[this.#image + i] = this.counters[i];',
  },
  {
    name: 'the mark is cleared before the hand-off is applied',
    file: 'lane/journal.js',
    from: 'const count = words[mark] - 1;',
    to: 'const count = words[mark] - 1; store(words, mark, 0);',
  },
  {
    name: 'the mark is not cleared',
    file: 'lane/journal.js',
    from: '    store(words, mark, 0);\n',
    to: '',
  },
  {
    name: 'a marked hand-off is not finished',
    file: 'lane/journal.js',
    from: 'apply(memory, layout);\n    return true;',
    to: 'store(memory.words, layout.offset / 4 + MARK, 0);\n    return true;',
  },
  {
    name: 'an unmarked hand-off is finished',
    file: 'lane/journal.js',
    from: 'if (load(memory.words, layout.offset / 4 + MARK) === 0)\n        return false;',
    to: 'if (load(memory.words, layout.offset / 4 + MARK) === 0) store(memory.words, layout.offset / 4 + MARK, 1);',
  },
  // Acks.
  {
    name: 'an ack is told before the hand-off is marked',
    file: 'lane/acks.js',
    from: 'journal.set(this.#header + TAIL, this.#tail);',
    to: 'store(this.#words, this.#header + TAIL, this.#tail);',
  },
  {
    name: 'an ack is taken before the hand-off is marked',
    file: 'lane/acks.js',
    from: 'journal.set(this.#header + HEAD, this.#head);',
    to: 'store(this.#words, this.#header + HEAD, this.#head);',
  },
  {
    name: 'an ack is read without an order',
    file: 'lane/acks.js',
    from: 'this.#tailSeen = load(this.#words, this.#header + TAIL);',
    to: 'this.#tailSeen = this.#words[this.#header + TAIL];',
  },
  {
    name: 'room for acks is not looked at',
    file: 'lane/acks.js',
    from: 'let hasRoom = this.#capacity - ((this.#tail - this.#headSeen) | 0) >= entries;',
    to: 'let hasRoom = true;',
  },
  {
    name: 'a worker does not say that it waits for room for acks',
    file: 'lane/acks.js',
    from: 'store(this.#words, this.#header + CRAMPED, hasRoom ? 0 : 1);',
    to: '',
  },
  {
    name: 'a source does not say that it waits for acks',
    file: 'lane/acks.js',
    from: 'store(this.#words, this.#header + WANTED, wanted ? 1 : 0);',
    to: '',
  },
  {
    name: 'a slot is stored before the hand-off is marked',
    file: 'lane/slots.js',
    from: 'journal.set(index, value);',
    to: 'this.#words[index] = value;',
  },
  // Rings of events.
  {
    name: 'the tail of the trace is stored after everything else',
    file: 'lane/journal.js',
    from: 'for (let at = firsts; at < entries; at += 2)\n        if (words[at] !== 0)\n            store(words, words[at], words[at + 1]);\n    for (let i = 0; i < count; i++)\n        store(words, words[entries + 2 * i], words[entries + 2 * i + 1]);',
    to: 'for (let i = 0; i < count; i++)\n        store(words, words[entries + 2 * i], words[entries + 2 * i + 1]);\n    for (let at = firsts; at < entries; at += 2)\n        if (words[at] !== 0)\n            store(words, words[at], words[at + 1]);',
  },
  {
    name: 'the tracer does not look at the rings once more when a slot has ended',
    file: 'trace/rings.js',
    from: 'second = this.#pass(listener);',
    to: '',
  },
  {
    name: 'the tail of the trace is published before the hand-off is marked',
    file: 'lane/trace.js',
    from: 'journal.setFirst(1, this.#header + TAIL, this.#tail);',
    to: 'store(this.words, this.#header + TAIL, this.#tail);',
  },
  {
    name: 'the room of a trace ring is not looked at',
    file: 'lane/trace.js',
    from: 'if (this.#capacity - ((this.#tail - this.#headSeen) | 0) >= events)\n            return true;',
    to: 'if (true) return true;',
  },
  {
    name: 'the tail of the trace is read without an order',
    file: 'lane/trace.js',
    from: 'this.#tailSeen = load(this.words, this.#header + TAIL);',
    to: 'this.#tailSeen = this.words[this.#header + TAIL];',
  },
  {
    name: 'the head of the trace is read without an order',
    file: 'lane/trace.js',
    from: 'this.#headSeen = load(this.words, this.#header + HEAD);\n        return',
    to: 'this.#headSeen = this.words[this.#header + HEAD];\n        return',
  },
  {
    name: 'dropped events are not counted',
    file: 'lane/trace.js',
    from: 'journal.set(this.#header + DROPPED, this.#dropped);',
    to: 'undefined;',
  },
  // Keys that move.
  {
    name: 'a frame behind the switch is read before its key is released',
    file: 'lane/reader.js',
    from: 'if (this.#gate !== undefined)\n                    this.#holdBack(this.#gate);',
    to: '',
    isOfResize: true,
  },
  {
    name: 'a key is released before all that was sent for it is taken',
    file: 'worker/in/tenure.js',
    from: 'this.isClosed = reached;',
    to: 'this.isClosed = true;',
    isOfResize: true,
  },
  {
    name: 'a writer does not tell from where on it sends by another version',
    file: 'lane/route.js',
    from: 'journal.set(this.#header + ROUTED, this.version);',
    to: '',
    isOfResize: true,
  },
  // Whole workers.
  {
    name: 'a loop announces that it parks after its last look',
    file: 'worker/loop/loop.js',
    from: 'this.#doorbell.announce(netMs);\n        if (this.#lastLook()) {',
    to: 'if (this.#lastLook()) { this.#doorbell.announce(netMs);',
  },
  {
    name: 'readers and writers are woken before the hand-off',
    file: 'worker/handoff.js',
    from: 'journal.commit();\n        this.#wakeReaders();\n        inlet.wakePeers();\n        settlement.wakePeers();',
    to: 'this.#wakeReaders(); outlet.wakePeers(); inlet.wakePeers(); settlement.wakePeers(); journal.commit();',
  },
  {
    name: 'chunks are seen before their slots are open',
    file: 'worker/handoff.js',
    from: 'settlement.stage(journal);\n',
    to: 'outlet.stage(journal); settlement.stage(journal);\n',
  },
  {
    name: 'what was taken is given back by another hand-off than what came of it',
    file: 'worker/handoff.js',
    from: 'inlet.stage(journal);\n',
    to: 'inlet.stage(journal); journal.commit();\n',
  },
  {
    name: 'a worker says that it waits for credit from its second wait on only',
    file: 'worker/out/outlet.js',
    from: '#isWanting;',
    to: '#isWanting = true;',
  },
  {
    name: 'a reader does not tell of its first grant',
    file: 'worker/in/inlet.js',
    from: 'this.#skip = this.reader.part;\n        this.wakePeer();',
    to: 'this.#skip = this.reader.part;',
  },
  {
    name: 'nobody is woken after a death',
    file: 'supervisor/recovery.js',
    from: 'ring(memory.words, plan.workers[peer].control.doorbell);',
    to: '',
  },
]
