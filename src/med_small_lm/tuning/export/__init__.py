"""The data for others: conversations, questions and rationales in the forms that common tools read.

``chats`` turns conversations into each form's rows, ``configs`` writes what the trainers want beside them, ``card``
says what the data are and under which terms, ``write`` puts it all into a folder. Imports no torch.
"""
