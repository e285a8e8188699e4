"""All stories, told as JSON by a process of their own: a script, with a folder to work in.

Rule: which program it is depends on where it is run.
Must not know: what the stories are about.
"""

import sys
from pathlib import Path

import bills_story
import flow_story
import msgspec
import planner_story

STORIES = {"tags": flow_story.story, "bills": bills_story.story, "planner": planner_story.story}

if __name__ == "__main__":
    told = {}
    for name, story in STORIES.items():
        work = Path(sys.argv[1]) / name
        work.mkdir(parents=True)
        told[name] = story(work)
    sys.stdout.buffer.write(msgspec.json.encode(told))
