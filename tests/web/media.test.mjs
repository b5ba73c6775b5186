import assert from 'node:assert/strict';
import test from 'node:test';
import { classifyMediaError, joinLabel, problemSentence } from '../../web/js/media.js';

test('what a browser says when it gives no camera', () => {
  for (const [name, problem] of [['NotAllowedError', 'refused'], ['SecurityError', 'refused'], ['NotFoundError', 'none'],
    ['OverconstrainedError', 'none'], ['NotReadableError', 'in-use'], ['AbortError', 'in-use'], ['Whatever', 'unknown']]) {
    assert.equal(classifyMediaError(Object.assign(new Error('x'), { name })), problem, name);
  }
  assert.equal(classifyMediaError(new TypeError('no mediaDevices')), 'insecure');
  assert.equal(classifyMediaError(null), 'unknown');
});

test('the sentence names what is missing, once', () => {
  assert.equal(problemSentence({ audio: null, video: null }), '');
  assert.match(problemSentence({ audio: 'refused', video: 'refused' }), /your camera and microphone\./);
  assert.match(problemSentence({ audio: null, video: 'in-use' }), /^Another program is using your camera\.$/);
  assert.match(problemSentence({ audio: 'none', video: 'in-use' }), /camera\. No microphone was found\.$/);
  assert.equal(problemSentence({ audio: 'none', video: 'none' }), 'No camera or microphone was found.');
});

test('there is always a way on', () => {
  assert.equal(joinLabel({ audio: null, video: null }), 'Join the call');
  assert.equal(joinLabel({ audio: null, video: 'none' }), 'Join with sound only');
  assert.equal(joinLabel({ audio: 'none', video: null }), 'Join with picture only');
  assert.equal(joinLabel({ audio: 'refused', video: 'refused' }), 'Join to watch and listen');
});
