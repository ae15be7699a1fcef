package golden

var ParseDialogue = parseDialogue
